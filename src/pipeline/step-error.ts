import { brandClass } from '../kit/brand-class.ts';

/**
 * Thrown by a step's function to reject a row at once, because another attempt would not help. With `pauses` the run pauses instead and no row is lost: use it
 * if every row would fail until an operator fixes something.
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

/** Thrown by a step's function to have the call retried, not before `retryAfterMs`. */
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

/** Returns whether a value is a `NonRetryableError`, even one that another copy of this package created. */
export const isNonRetryableError = brandClass(NonRetryableError, 'non-retryable-error');

/** Returns whether a value is a `RetryableError`, even one that another copy of this package created. */
export const isRetryableError = brandClass(RetryableError, 'retryable-error');
