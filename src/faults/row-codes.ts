/**
 * Effect of an error. The row is `retried` until `retry.attempts` is reached and then rejected, or `rejected` at once. Or the error `pauses` the run or
 * `ends` the attempt.
 */
export type RowEffect = 'retried' | 'rejected' | 'pauses' | 'ends';

export interface RowCodeEntry {
  readonly effect: RowEffect;
  readonly happened: string;
  readonly advice: string;
}

/** Codes that this program records for rows and batches. User code may throw errors with other codes. */
export const rowCodes = {
  aborted: {
    effect: 'ends',
    happened: 'The run was stopped while the call was in flight.',
    advice: 'Resume the run: the row is tried again.',
  },
  auth: {
    effect: 'pauses',
    happened: 'The provider rejected the API key, or no key is set.',
    advice: 'Set another key in the environment and resume.',
  },
  'bad-request': { effect: 'rejected', happened: 'The provider rejected the request.', advice: 'Correct the prompt or the model options.' },
  'content-filter': {
    effect: 'rejected',
    happened: "The provider's filter withheld the answer.",
    advice: 'Change the prompt, or accept the loss.',
  },
  'context-length': {
    effect: 'rejected',
    happened: 'The request is longer than the model accepts.',
    advice: 'Shorten the prompt, or use a model with a longer context.',
  },
  'duplicate-key': {
    effect: 'rejected',
    happened: 'An earlier row of the source has the same key.',
    advice: 'Remove one of the two items that the message names, or declare another key.',
  },
  'empty-answer': {
    effect: 'retried',
    happened: 'The model returned no text. If a thinking model used all of its tokens, the row is rejected at once.',
    advice: 'Raise `maxOutputTokens`.',
  },
  interrupted: { effect: 'ends', happened: 'The run was stopped before the batch ended.', advice: 'Resume the run: no row is lost.' },
  'invalid-input': {
    effect: 'rejected',
    happened: 'The value of a column is not what the step needs.',
    advice: 'Correct the step above, or filter out such rows.',
  },
  'invalid-line': {
    effect: 'rejected',
    happened: 'A line of a file is not a record.',
    advice: 'Correct the line that the message names.',
  },
  'invalid-origin': {
    effect: 'ends',
    happened: 'The origin that a source reports has a key `__proto__`. The source runs, and its origin is not recorded.',
    advice: 'Rename the key.',
  },
  'invalid-output': {
    effect: 'rejected',
    happened: "A function returned a value that does not match its step's schema.",
    advice: 'Correct the function or the schema.',
  },
  'invalid-prompt': {
    effect: 'rejected',
    happened: 'The prompt cannot be built for this row.',
    advice: 'Correct the template or the function.',
  },
  'invalid-response': {
    effect: 'retried',
    happened: "The server's answer is not a chat completion.",
    advice: "Check the model's `baseURL`.",
  },
  'invalid-value': {
    effect: 'rejected',
    happened: "A value in a file does not match its column's type.",
    advice: "Correct the value, or the column's schema.",
  },
  'model-not-found': {
    effect: 'pauses',
    happened: 'The provider does not know the model.',
    advice: "Correct the model's id or its `baseURL`, and resume.",
  },
  'no-preference': {
    effect: 'rejected',
    happened: 'A row for `toDpo` has no two different ratings.',
    advice: 'Filter out such rows with `hasPreference()`.',
  },
  'non-retryable': {
    effect: 'rejected',
    happened: 'A function threw a `NonRetryableError` without a code.',
    advice: 'Read the message, and correct the row or the function.',
  },
  overloaded: {
    effect: 'retried',
    happened: 'The provider could not be reached, or reported an internal error.',
    advice: 'Wait, then retry the rejected rows.',
  },
  'process-exit': {
    effect: 'retried',
    happened: 'A function called `process.exit`.',
    advice: 'Throw an error instead.',
  },
  quota: {
    effect: 'pauses',
    happened: 'The quota of the API key is used up.',
    advice: 'Add credit to the account or set another key, and resume.',
  },
  'rate-limit': {
    effect: 'retried',
    happened: 'The provider asked for fewer calls. Such a refusal is not counted as an attempt.',
    advice: 'Set `requestsPerMinute` or `tokensPerMinute` of the model.',
  },
  'reject-limit': {
    effect: 'pauses',
    happened: 'A step rejected 20 rows in a row with the same code, or more than a tenth of its rows (from 100 rows on).',
    advice: 'Correct the cause and resume, or continue with `resume --no-reject-limit`.',
  },
  'resource-failed': {
    effect: 'pauses',
    happened: 'A resource could not be opened, even on the last attempt.',
    advice: 'Correct the cause that the message names, and resume.',
  },
  retryable: {
    effect: 'retried',
    happened: 'A function threw a `RetryableError` without a code.',
    advice: 'Read the message, then retry the rejected rows.',
  },
  'row-too-large': {
    effect: 'rejected',
    happened: 'A row is larger than a chunk may be.',
    advice: 'Store large values elsewhere, and put a reference in the row.',
  },
  skipped: { effect: 'rejected', happened: 'An operator skipped the batch with `resume --skip`.', advice: 'No action is needed.' },
  'source-changed': {
    effect: 'pauses',
    happened: 'A source no longer returns the rows that it returned before.',
    advice: 'Restore the file and resume, or start a new run.',
  },
  'source-unreadable': {
    effect: 'pauses',
    happened: 'A file of a source cannot be read.',
    advice: 'Correct the path, the permissions or the file, and resume.',
  },
  timeout: {
    effect: 'retried',
    happened: 'A call took longer than `timeoutMs`, or the provider timed out.',
    advice: 'Raise `timeoutMs`, or use a faster model.',
  },
  truncated: {
    effect: 'rejected',
    happened: "The model's answer was cut off at its token limit.",
    advice: "Raise `maxOutputTokens`, or accept such answers with `onTruncated: 'keep'`.",
  },
  'unhandled-rejection': {
    effect: 'retried',
    happened: 'A promise that nothing awaited was rejected, or a timer threw. Outside of a running batch, this pauses the run.',
    advice: 'Await the promise, or catch the error.',
  },
} as const satisfies Readonly<Record<string, RowCodeEntry>>;

export type RowCode = keyof typeof rowCodes;
