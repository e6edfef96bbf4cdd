import { brandClass } from '../kit/brand-class.ts';

/**
 * Thrown by a step's function for a row that no other attempt would help: it is rejected at once. With `pauses`, no row would fare better until somebody
 * mends something: the run pauses and no row is lost.
 */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError';
  readonly retryable = false;
  readonly code: string;
  readonly pauses: boolean;

  constructor(
    message: string,
    options: { readonly code?: string | undefined; readonly pauses?: boolean | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'non-retryable';
    this.pauses = options.pauses ?? false;
  }
}

/** Thrown by a step's function that should be called again, not before `retryAfterMs`. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryable = true;
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { readonly code?: string | undefined; readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'retryable';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Returns whether a value is a `NonRetryableError`, whichever copy of this package made it. */
export const isNonRetryableError = brandClass(NonRetryableError, 'non-retryable-error');

/** Returns whether a value is a `RetryableError`, whichever copy of this package made it. */
export const isRetryableError = brandClass(RetryableError, 'retryable-error');
