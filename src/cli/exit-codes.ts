import type { Rest } from '../scheduler/index.ts';
import { faultExitCodes, kindOfFault } from '../faults/index.ts';
import { isFault } from '../kit/fault.ts';

/** Exit codes of the process. The catalogue of faults has the exit codes of faults. */
export const exitCodes = { done: 0, failed: 1, usage: faultExitCodes.usage, partial: 3, paused: 4 } as const;

/** Returns the exit code for the state in which a run came to rest. */
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

/** Returns the exit code for a thrown value: that of a fault's kind, or that of a bug. User code may throw a `Fault` with a code of its own. */
export function exitCodeOfError(error: unknown): number {
  if (!isFault(error)) return faultExitCodes.bug;
  return faultExitCodes[kindOfFault(error.code) ?? 'fault'];
}
