import type { Rest } from '../scheduler/index.ts';
import { faultExitCodes, kindOfFault } from '../faults/index.ts';
import { isFault } from '../kit/fault.ts';

/** Exit codes of the process; those of faults are in the catalogue. */
export const exitCodes = { done: 0, failed: 1, usage: faultExitCodes.usage, partial: 3, paused: 4 } as const;

/** How a run came to rest, as an exit code. */
export function exitCodeOf(rest: Rest): number {
  switch (rest) {
    case 'succeeded':
      return exitCodes.done;
    case 'partial':
      return exitCodes.partial;
    case 'paused':
      return exitCodes.paused;
    case 'failed':
    case 'cancelled':
      return exitCodes.failed;
  }
}

/** Returns the exit code of a thrown value: a fault has the one of its kind, anything else is a bug. Code of users may throw a `Fault` of its own code. */
export function exitCodeOfError(error: unknown): number {
  if (!isFault(error)) return faultExitCodes.bug;
  return faultExitCodes[kindOfFault(error.code) ?? 'fault'];
}
