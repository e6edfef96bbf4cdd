import { storableMessage, storableStack, storableText, type Failure } from '#schema';
import { codeOf, messageOf } from '#kit/fault';
import type { Instant } from '#kit/instant';

/** What a thrown value means for the row that it befell. */
export interface RowFailure {
  readonly failure: Failure;
  /** Whether another attempt may help. */
  readonly retryable: boolean;
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
  { redact, isLastAttempt, now }: { readonly redact: (text: string) => string; readonly isLastAttempt: boolean; readonly now: Instant },
): RowFailure {
  const hints: Hints = typeof thrown === 'object' && thrown !== null ? thrown : {};
  return {
    failure: failureOf(thrown, redact),
    retryable: hints.retryable !== false,
    notBefore: typeof hints.retryAfterMs === 'number' && hints.retryAfterMs >= 0 ? now + hints.retryAfterMs * 1000 : null,
    pauses: pausing(thrown, hints, isLastAttempt),
  };
}

interface Hints {
  readonly retryable?: unknown;
  readonly retryAfterMs?: unknown;
  readonly pauses?: unknown;
}

function pausing(thrown: unknown, hints: Hints, isLastAttempt: boolean): PausingReason | null {
  const code = failureCode(thrown, (text) => text);
  if (code === 'auth' || code === 'quota') return code;
  if (hints.pauses === true) return 'resource';
  // A source that gives other rows than before, or a file that cannot be read, is not mended by another attempt, and would cost everything below it.
  return code === 'source-changed' || code === 'source-unreadable' || (code === 'resource-failed' && isLastAttempt) ? 'resource' : null;
}

/** A thrown value as events hold it: cut to size, without secrets. */
export function failureOf(thrown: unknown, redact: (text: string) => string): Failure {
  const error = thrown instanceof Error ? thrown : null;
  return {
    code: failureCode(thrown, redact),
    name: storableText(redact(error ? nameOf(error) : typeof thrown)).slice(0, 200),
    message: storableMessage(redact(messageOf(thrown))),
    stack: storableStack(redact(error?.stack ?? '')),
  };
}

/** An error's name, whatever somebody has made of it. */
function nameOf({ name }: { readonly name: unknown }): string {
  return typeof name === 'string' ? name : 'Error';
}

/** Codes are kebab-case: an error's own, else one made of its name (`TypeError`: `type-error`). */
function failureCode(thrown: unknown, redact: (text: string) => string): string {
  const code = redact(codeOf(thrown) ?? (thrown instanceof Error ? nameOf(thrown) : `thrown-${typeof thrown}`));
  const kebab = code
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
    .replaceAll(/^-+|-+$/g, '');
  return kebab.slice(0, 64) || 'error';
}
