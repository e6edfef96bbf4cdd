import { AISDKError, APICallError } from 'ai';
import type { RowCode } from '../faults/index.ts';
import { memberOf } from '../kit/describe-thrown.ts';
import { codeOf, messageOf } from '../kit/fault.ts';
import type { Redact } from '../kit/redactor.ts';
import { isNonRetryableError, isRetryableError, NonRetryableError, RetryableError } from '../pipeline/index.ts';
import { retryAfterMs } from './retry-after.ts';

/** The context of a failed call, for its error. */
export interface FailedCall {
  /** The model, for messages: `model tiny at http://localhost:8000/v1`. */
  readonly model: string;
  /** Redacts the key in a text. */
  readonly redact: Redact;
  /** The time in milliseconds, for `Retry-After` as a date. */
  readonly now: number;
}

/**
 * Classifies a thrown value with one of the codes `rate-limit`, `overloaded`, `timeout`, `context-length`, `content-filter`, `auth`, `quota`,
 * `model-not-found`, `bad-request`, `invalid-response`. Providers report the same cause in many ways, so the response's body takes precedence over its status.
 * A value that is not a failure of the call is returned unchanged.
 */
export function toModelError(thrown: unknown, failed: FailedCall): unknown {
  if (isRetryableError(thrown) || isNonRetryableError(thrown)) return thrown;
  const said = failed.redact(readMessage(thrown), searchedMax);
  const status = APICallError.isInstance(thrown) ? thrown.statusCode : undefined;
  const code = APICallError.isInstance(thrown) ? classifyResponse(thrown, said, status) : classifyFailure(thrown);
  if (code === null) return redactKey(thrown, failed.redact);
  const what = `${capitalize(failed.model)} ${verbs[code]}${status === undefined ? '' : ` (HTTP ${status})`}: ${shorten(said)}`;
  const message = advice[code] === undefined ? what : `${what.replace(/[.\s]+$/, '')}. ${advice[code]}`;
  if (!isRetryable(code)) return new NonRetryableError(message, { code, pauses: code === 'model-not-found' });
  const headers = APICallError.isInstance(thrown) ? thrown.responseHeaders : undefined;
  return new RetryableError(message, { code, retryAfterMs: retryAfterMs(headers, failed.now) ?? undefined });
}

/** Returns an error that we do not classify, with the key redacted if the message contains it. */
function redactKey(thrown: unknown, redact: Redact): unknown {
  const message = messageOf(thrown);
  return redact(message) === message ? thrown : new Error(redact(message));
}

const verbs = {
  'rate-limit': 'accepts no more calls at present',
  overloaded: 'could not answer',
  timeout: 'took too long',
  'context-length': 'cannot take a request of this length',
  'content-filter': 'refuses to answer',
  auth: 'refused the key',
  quota: 'has no quota left for this key',
  'model-not-found': 'was not found',
  'bad-request': 'refused the request',
  'invalid-response': 'returned something other than a chat completion',
} as const satisfies Partial<Record<RowCode, string>>;

type Code = keyof typeof verbs;

const advice: Partial<Record<Code, string>> = {
  auth: 'Set another key in the environment, then resume the run.',
  quota: 'Add credit to the account or set the key of another one, then resume the run.',
  'model-not-found': 'Check the model id and baseURL, then resume the run.',
};

const isRetryable = (code: Code): boolean => ['rate-limit', 'overloaded', 'timeout', 'invalid-response'].includes(code);

function classifyFailure(thrown: unknown): Code | null {
  if (hasTimedOut(thrown)) return 'timeout';
  if (hasNetworkCause(thrown)) return 'overloaded';
  const isUnreadable =
    AISDKError.isInstance(thrown) && /InvalidResponseData|TypeValidation|JSONParse|NoOutputGenerated|EmptyResponseBody/.test(thrown.name);
  return isUnreadable ? 'invalid-response' : null;
}

function classifyResponse(thrown: unknown, said: string, status: number | undefined): Code {
  const words = `${readBodyCodes(thrown)} ${said}`;
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

// Whole phrases of providers, because a single word may come from the prompt, which some providers repeat.
const saysQuota =
  /insufficient_quota|billing_(hard_limit_reached|not_active)|exceeded your current quota|insufficient (balance|credits|funds)|credit balance is too low/i;
const saysFiltered = /content_?filter|content_policy|content management policy|safety system|flagged (by|as|for)/i;
const saysTooLong =
  /context_length|(context|maximum) (length|window|size) (is|of|exceeded)|exceeds? the (context|maximum)|maximum context|prompt is too long/i;

/** Returns the codes in an error's body: `{ error: { code, type } }`. */
function readBodyCodes(thrown: unknown): string {
  const data = APICallError.isInstance(thrown)
    ? (thrown.data as { readonly error?: { readonly code?: unknown; readonly type?: unknown } } | undefined)
    : undefined;
  return [data?.error?.code, data?.error?.type].filter((code) => typeof code === 'string').join(' ');
}

/** Returns the message of the provider, or else that of the error. */
function readMessage(thrown: unknown): string {
  const { responseBody = '' } = APICallError.isInstance(thrown) ? thrown : {};
  const message = messageOf(thrown);
  const isBare = responseBody !== '' && !responseBody.includes(message);
  return (isBare ? `${message}: ${responseBody}` : message).replaceAll(/\s+/g, ' ').trim();
}

const listCauses = (thrown: unknown): readonly unknown[] => {
  const all: unknown[] = [];
  for (let cause = thrown; typeof cause === 'object' && cause !== null && all.length < 8; cause = memberOf(cause, 'cause')) all.push(cause);
  return all;
};

const joinCodes = (thrown: unknown): string =>
  listCauses(thrown)
    .map((cause) => codeOf(cause) ?? '')
    .join(' ');

const hasTimedOut = (thrown: unknown): boolean => /UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT|ETIMEDOUT/.test(joinCodes(thrown));

const hasNetworkCause = (thrown: unknown): boolean => /UND_ERR|ECONN|EPIPE|ETIMEDOUT/.test(joinCodes(thrown));

const shownMax = 1_000;
/** Maximum number of characters of the provider's message that are searched for the key. */
const searchedMax = 64 * 1024;

const shorten = (text: string): string => (text.length > shownMax ? `${text.slice(0, shownMax)}…` : text);

const capitalize = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
