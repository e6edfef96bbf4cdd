import { storableMessage, storableStack, storableText, type Failure } from '../../schema/index.ts';
import { describeThrown, memberOf, type ThrownDescription } from '../kit/describe-thrown.ts';
import type { Instant } from '../kit/instant.ts';
import type { Redact } from '../kit/redactor.ts';

/** What a thrown value means for the row that it befell. */
export interface RowFailure {
  readonly failure: Failure;
  /** Whether another attempt may help. */
  readonly retryable: boolean;
  /** Whether a provider asks for fewer calls, which says nothing about the row. */
  readonly isThrottled: boolean;
  /** When it may be made at the earliest, where the thrower knows (a provider's `Retry-After`). */
  readonly notBefore: Instant | null;
  /** A refused key, a used-up quota, a client that does not open: nothing is wrong with the row, and nothing helps but somebody's doing. */
  readonly pauses: PausingReason | null;
}

/** Failures that pause the run instead of costing a row. */
export type PausingReason = 'auth' | 'quota' | 'resource';

/**
 * Reads a thrown value, whatever its class: `code`, `retryable`, `retryAfterMs` and `pauses` are properties that any error may carry. On the last attempt
 * a resource that does not open pauses the run: before, it may just be starting.
 */
export function rowFailure(
  thrown: unknown,
  { redact, isLastAttempt, now }: { readonly redact: Redact; readonly isLastAttempt: boolean; readonly now: Instant },
): RowFailure {
  const retryAfterMs = memberOf(thrown, 'retryAfterMs');
  return {
    failure: failureOf(thrown, redact),
    retryable: memberOf(thrown, 'retryable') !== false,
    // As it was thrown: the code that is recorded is masked where a secret is a word of it.
    isThrottled: plainCode(thrown) === 'rate-limit',
    notBefore: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? now + Math.min(retryAfterMs, retryAfterMaxMs) * 1000 : null,
    pauses: pausing(thrown, isLastAttempt),
  };
}

/** Longest wait that a thrower can ask for, a week: an event holds no infinity, and a timer no more than 24 days. */
const retryAfterMaxMs = 7 * 24 * 3_600_000;

function pausing(thrown: unknown, isLastAttempt: boolean): PausingReason | null {
  const code = plainCode(thrown);
  if (code === 'auth' || code === 'quota') return code;
  if (memberOf(thrown, 'pauses') === true) return 'resource';
  // A source that gives other rows than before, or a file that cannot be read, is not mended by another attempt, and would cost everything below it.
  return code === 'source-changed' || code === 'source-unreadable' || (code === 'resource-failed' && isLastAttempt) ? 'resource' : null;
}

const plainCode = (thrown: unknown): string => failureCode(describeThrown(thrown), (text) => text);

/** A thrown value as events hold it: cut to size, without secrets. */
export function failureOf(thrown: unknown, redact: Redact): Failure {
  const described = describeThrown(thrown);
  return {
    code: failureCode(described, redact),
    // Cut before it is made storable: a cut may leave half of a surrogate pair.
    name: storableText(redact(described.name, lookedMax).slice(0, nameMax)),
    message: storableMessage(redact(described.message, lookedMax)),
    stack: storableStack(redact(described.stack, lookedMax)),
  };
}

/** Characters of a text that are looked through for secrets: far more than are kept. */
export const lookedMax = 64 * 1024;
const nameMax = 200;
const codeMax = 64;

/** Codes are kebab-case: an error's own, else one made of its name (`TypeError`: `type-error`). */
function failureCode({ code: own, isError, name }: ThrownDescription, redact: Redact): string {
  const code = redact(own ?? (isError ? name : `thrown-${name}`), lookedMax);
  const kebab = code
    .slice(0, 16 * codeMax)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
    .replaceAll(/^-+|-+$/g, '');
  return kebab.slice(0, codeMax) || 'error';
}
