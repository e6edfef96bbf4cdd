import { storableMessage, storableStack, storableText, type Failure } from '../../schema/index.ts';
import { describeThrown, memberOf, type ThrownDescription } from '../kit/describe-thrown.ts';
import type { Instant } from '../kit/instant.ts';
import type { Redact } from '../kit/redactor.ts';

/** Consequence of a thrown value for its row. */
export interface RowFailure {
  readonly failure: Failure;
  /** Whether another attempt may help. */
  readonly retryable: boolean;
  /** Whether a provider asks for fewer calls, which says nothing about the row. */
  readonly isThrottled: boolean;
  /** Earliest time of the next attempt, if the error says so (a provider's `Retry-After`), or null. */
  readonly notBefore: Instant | null;
  /** Why the run pauses, or null. The row is fine, and an operator must act: on a refused key, a used-up quota, a resource that does not open. */
  readonly pauses: PausingReason | null;
}

/** Failures that pause the run instead of costing a row. */
export type PausingReason = 'auth' | 'quota' | 'resource';

/**
 * Returns the consequence of a thrown value of any class: `code`, `retryable`, `retryAfterMs` and `pauses` are properties that any error may have. A
 * resource that does not open pauses the run only on the last attempt, because it may just be starting.
 */
export function rowFailure(
  thrown: unknown,
  { redact, isLastAttempt, now }: { readonly redact: Redact; readonly isLastAttempt: boolean; readonly now: Instant },
): RowFailure {
  const retryAfterMs = memberOf(thrown, 'retryAfterMs');
  return {
    failure: failureOf(thrown, redact),
    retryable: memberOf(thrown, 'retryable') !== false,
    // The code as thrown: a secret that is part of the recorded code is masked.
    isThrottled: plainCode(thrown) === 'rate-limit',
    notBefore: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? now + Math.min(retryAfterMs, retryAfterMaxMs) * 1000 : null,
    pauses: pausingReason(thrown, isLastAttempt),
  };
}

/** Longest wait that an error can ask for: a week. An event cannot hold infinity, and a timer at most 24 days. */
const retryAfterMaxMs = 7 * 24 * 3_600_000;

function pausingReason(thrown: unknown, isLastAttempt: boolean): PausingReason | null {
  const code = plainCode(thrown);
  if (code === 'auth' || code === 'quota') return code;
  if (memberOf(thrown, 'pauses') === true) return 'resource';
  // Another attempt does not repair a changed source or an unreadable file, and giving up would lose everything below it.
  return code === 'source-changed' || code === 'source-unreadable' || (code === 'resource-failed' && isLastAttempt) ? 'resource' : null;
}

const plainCode = (thrown: unknown): string => failureCode(describeThrown(thrown), (text) => text);

/** Returns a thrown value in the form that events hold: cut to size, without secrets. */
export function failureOf(thrown: unknown, redact: Redact): Failure {
  const described = describeThrown(thrown);
  return {
    code: failureCode(described, redact),
    // Cut before it is made storable: a cut may leave half of a surrogate pair.
    name: storableText(redact(described.name, redactedLengthMax).slice(0, nameMax)),
    message: storableMessage(redact(described.message, redactedLengthMax)),
    stack: storableStack(redact(described.stack, redactedLengthMax)),
  };
}

/** Characters of a text that are searched for secrets: far more than are kept. */
export const redactedLengthMax = 64 * 1024;
const nameMax = 200;
const codeMax = 64;

/** Returns an error's own code in kebab-case, or else one made from its name (`TypeError`: `type-error`). */
function failureCode({ code: own, isError, name }: ThrownDescription, redact: Redact): string {
  const code = redact(own ?? (isError ? name : `thrown-${name}`), redactedLengthMax);
  const kebab = code
    .slice(0, 16 * codeMax)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
    .replaceAll(/^-+|-+$/g, '');
  return kebab.slice(0, codeMax) || 'error';
}
