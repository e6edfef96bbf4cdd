import { AISDKError, APICallError } from 'ai';
import type { RowCode } from '../faults/index.ts';
import { memberOf } from '../kit/describe-thrown.ts';
import { codeOf, messageOf } from '../kit/fault.ts';
import type { Redact } from '../kit/redactor.ts';
import { isNonRetryableError, isRetryableError, NonRetryableError, RetryableError } from '../pipeline/index.ts';
import { retryAfterMs } from './retry-after.ts';

/** What a failed call is told with. */
export interface Failed {
  /** The model, for messages: `model tiny at http://localhost:8000/v1`. */
  readonly model: string;
  /** Takes the key out of a text. */
  readonly redact: Redact;
  /** The time in milliseconds, for `Retry-After` as a date. */
  readonly now: number;
}

/**
 * What a thrown value means: one of the codes `rate-limit`, `overloaded`, `timeout`, `context-length`, `content-filter`, `auth`, `quota`, `model-not-found`,
 * `bad-request`, `invalid-response`. Providers name the same cause in many ways: what the answer's body says comes before its status. What is no failure of
 * the call comes back as it is.
 */
export function modelError(thrown: unknown, failed: Failed): unknown {
  if (isRetryableError(thrown) || isNonRetryableError(thrown)) return thrown;
  const said = failed.redact(saidBy(thrown), lookedMax);
  const status = APICallError.isInstance(thrown) ? thrown.statusCode : undefined;
  const code = APICallError.isInstance(thrown) ? codeOfResponse(thrown, said, status) : codeOfFailure(thrown);
  if (code === null) return withoutKey(thrown, failed.redact);
  const what = `${sentenceStart(failed.model)} ${verbs[code]}${status === undefined ? '' : ` (HTTP ${status})`}: ${cut(said)}`;
  const advised = advice[code] === undefined ? what : `${what.replace(/[.\s]+$/, '')}. ${advice[code]}`;
  if (!isRetryable(code)) return new NonRetryableError(advised, { code, pauses: code === 'model-not-found' });
  const headers = APICallError.isInstance(thrown) ? thrown.responseHeaders : undefined;
  return new RetryableError(advised, { code, retryAfterMs: retryAfterMs(headers, failed.now) ?? undefined });
}

/** An error that is not ours to read, unless the key stands in it. */
function withoutKey(thrown: unknown, redact: Redact): unknown {
  const message = messageOf(thrown);
  return redact(message) === message ? thrown : new Error(redact(message));
}

const verbs = {
  'rate-limit': 'takes no more calls at present',
  overloaded: 'could not answer',
  timeout: 'took too long',
  'context-length': 'was asked more than it can hold',
  'content-filter': 'refuses to answer',
  auth: 'refused the key',
  quota: 'has no quota left for this key',
  'model-not-found': 'was not found',
  'bad-request': 'refused the request',
  'invalid-response': 'answered with what is no chat completion',
} as const satisfies Partial<Record<RowCode, string>>;

type Code = keyof typeof verbs;

const advice: Partial<Record<Code, string>> = {
  auth: 'Give another key in the environment, and resume the run.',
  quota: 'Top the account up, or give the key of another, and resume the run.',
  'model-not-found': "Mend the model's id or its baseURL, and resume the run.",
};

const isRetryable = (code: Code): boolean => ['rate-limit', 'overloaded', 'timeout', 'invalid-response'].includes(code);

function codeOfFailure(thrown: unknown): Code | null {
  if (hasTimedOut(thrown)) return 'timeout';
  if (hasNetworkCause(thrown)) return 'overloaded';
  const isUnreadable =
    AISDKError.isInstance(thrown) && /InvalidResponseData|TypeValidation|JSONParse|NoOutputGenerated|EmptyResponseBody/.test(thrown.name);
  return isUnreadable ? 'invalid-response' : null;
}

function codeOfResponse(thrown: unknown, said: string, status: number | undefined): Code {
  const words = `${bodyCodes(thrown)} ${said}`;
  if (status === undefined) return hasTimedOut(thrown) ? 'timeout' : 'overloaded';
  if (status < 400) return hasNetworkCause(thrown) ? 'overloaded' : 'invalid-response';
  if (status === 401) return 'auth';
  if (status === 402 || (status < 500 && saysQuota.test(words))) return 'quota';
  if (status === 429) return 'rate-limit';
  if (status >= 500) return 'overloaded';
  if (saysFiltered.test(words)) return 'content-filter';
  if (status === 403) return 'auth';
  if (status === 413 || saysTooLong.test(words)) return 'context-length';
  if (status === 404 || /model_not_found/.test(words)) return 'model-not-found';
  if (status === 408) return 'timeout';
  return status === 409 || status === 425 ? 'overloaded' : 'bad-request';
}

// Whole phrases of providers: a single word may as well be of the prompt, which some of them repeat.
const saysQuota =
  /insufficient_quota|billing_(hard_limit_reached|not_active)|exceeded your current quota|insufficient (balance|credits|funds)|credit balance is too low/i;
const saysFiltered = /content_?filter|content_policy|content management policy|safety system|flagged (by|as|for)/i;
const saysTooLong =
  /context_length|(context|maximum) (length|window|size) (is|of|exceeded)|exceeds? the (context|maximum)|maximum context|prompt is too long/i;

/** The codes in an error's body: `{ error: { code, type } }`. */
function bodyCodes(thrown: unknown): string {
  const data = APICallError.isInstance(thrown)
    ? (thrown.data as { readonly error?: { readonly code?: unknown; readonly type?: unknown } } | undefined)
    : undefined;
  return [data?.error?.code, data?.error?.type].filter((code) => typeof code === 'string').join(' ');
}

/** What the provider said, or else what the error says. */
function saidBy(thrown: unknown): string {
  const { responseBody = '' } = APICallError.isInstance(thrown) ? thrown : {};
  const message = messageOf(thrown);
  const isBare = responseBody !== '' && !responseBody.includes(message);
  return (isBare ? `${message}: ${responseBody}` : message).replaceAll(/\s+/g, ' ').trim();
}

const causes = (thrown: unknown): readonly unknown[] => {
  const all: unknown[] = [];
  for (let each = thrown; typeof each === 'object' && each !== null && all.length < 8; each = memberOf(each, 'cause')) all.push(each);
  return all;
};

const codesOf = (thrown: unknown): string =>
  causes(thrown)
    .map((each) => codeOf(each) ?? '')
    .join(' ');

const hasTimedOut = (thrown: unknown): boolean => /UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT|ETIMEDOUT/.test(codesOf(thrown));

const hasNetworkCause = (thrown: unknown): boolean => /UND_ERR|ECONN|EPIPE|ETIMEDOUT/.test(codesOf(thrown));

const saidMax = 1_000;
/** Characters of what was said that are looked through for the key. */
const lookedMax = 64 * 1024;

const cut = (text: string): string => (text.length > saidMax ? `${text.slice(0, saidMax)}…` : text);

const sentenceStart = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
