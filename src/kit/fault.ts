import type { FaultCode } from '../faults/index.ts';
import { brandClass } from './brand-class.ts';
import { describeThrown, memberOf } from './describe-thrown.ts';

/** Facts about an error that a program may act on. JSON only; never secrets. */
export type Details = Readonly<Record<string, string | number | boolean | null>>;

/**
 * A failure outside of this program: of a server, a disk, a user's input. In contrast, a refusal is returned, and a bug is an `AssertionError`. Programs
 * match on `code`, which the catalogue lists. `message` is for people and says what happened, where, and what to do.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly details: Details;

  constructor(code: FaultCode, message: string, options: { readonly details?: Details; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Returns whether a value is a fault, whichever copy of this package made it. */
export const isFault = brandClass(Fault, 'fault');

/** Returns whether an error of any class has this code. Errors are matched by code, never by message. */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

/** Returns the error's own code (of distilog, Node or PostgreSQL), or undefined. Never throws. */
export function codeOf(error: unknown): string | undefined {
  const code = memberOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** Returns a message for any thrown value, also for one that is not an error. Never throws. */
export const messageOf = (error: unknown): string => describeThrown(error).message;
