import { brandClass } from './brand-class.ts';

/** Throws an `AssertionError` if an internal invariant is violated. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** A bug of this program. Code never catches it to continue. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';

  constructor(message: string) {
    super(`${message} (this is a bug in distilog)`);
  }
}

/** Returns whether a value is an `AssertionError`, whichever copy of this package made it. */
export const isAssertionError = brandClass(AssertionError, 'assertion-error');
