import type { Rest } from '../scheduler/index.ts';
import { isInstance } from '../kit/describe-thrown.ts';
import { codeOf, Fault } from '../kit/fault.ts';

/** What the process says to the shell. */
export const exitCodes = { done: 0, failed: 1, usage: 2, partial: 3, paused: 4 } as const;

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

/** Faults of the world while something ran; all others are put right by calling again with something else. */
const failures = new Set([
  'disk-full',
  'connection-lost',
  'fenced',
  'history-diverged',
  'hash-mismatch',
  'write-failed',
  'chunk-corrupted',
  'chunk-missing',
  'out-of-step',
]);

/** The exit code of whatever was thrown. */
export function exitCodeOfError(error: unknown): number {
  if (!isInstance(error, Fault)) return exitCodes.failed;
  return failures.has(codeOf(error) ?? '') ? exitCodes.failed : exitCodes.usage;
}
