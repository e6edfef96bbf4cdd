import type { FaultCode } from '../faults/index.ts';
import { brandClass } from './brand-class.ts';
import { describeThrown, memberOf } from './describe-thrown.ts';

/** Facts about an error that a program may act on. JSON only; never secrets. */
export type Details = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The world failed (a server, a disk, a person's input), as opposed to a refusal, which is returned, and a bug, which is an `AssertionError`.
 * `code` is one of the catalogue and what programs match on; `message` is a sentence for people that says what, where and what to do.
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

/** Whether an error carries this code, whatever its class: errors are matched by code, never by message. */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

/** The error's own code (ours, Node's or PostgreSQL's), or undefined. Never throws. */
export function codeOf(error: unknown): string | undefined {
  const code = memberOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** A sentence for whatever was thrown, errors or not. Never throws. */
export const messageOf = (error: unknown): string => describeThrown(error).message;
