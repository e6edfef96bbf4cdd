import { brandClass } from './brand-class.ts';

/** Throws an `AssertionError`: what it guards can only be wrong through a bug of ours. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** A bug of ours. Never caught to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';

  constructor(message: string) {
    super(`${message} (this is a bug in distilog)`);
  }
}

/** Returns whether a value is an `AssertionError`, whichever copy of this package made it. */
export const isAssertionError = brandClass(AssertionError, 'assertion-error');
