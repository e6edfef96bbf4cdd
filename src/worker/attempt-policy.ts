import type { Failure, Rejection } from '../../schema/index.ts';
import { storableMessage } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { Instant } from '../kit/instant.ts';
import type { PauseWish } from '../scheduler/index.ts';
import type { RowFailure } from './row-failure.ts';

/** Failures by input row. */
export type FailedRows = ReadonlyMap<number, RowFailure>;

/** Facts that decide how an attempt ends after its rows were tried. */
export interface AttemptFacts {
  /** Rows whose calls failed and may be retried. */
  readonly failed: FailedRows;
  /** Rows that are not done, failed ones included. */
  readonly pending: number;
  /** Number of earlier attempts that failed and use up the step's attempts. */
  readonly failures: number;
  readonly attemptsMax: number;
  /** Whether a lost row is rejected. If not, it fails the step. */
  readonly rejects: boolean;
  /** Whether the attempt wishes the run to pause. */
  readonly isPausing: boolean;
  /** Whether calls in flight were aborted. */
  readonly isAborted: boolean;
  /** Whether the attempt starts no more rows. */
  readonly isStopping: boolean;
  /** Whether the step has reached its reject limit. */
  readonly isLimitReached: boolean;
  /** The batch's first rejected row. */
  readonly rejection: Rejection | undefined;
}

/** How an attempt ends. */
export type Verdict =
  | { readonly kind: 'succeed' }
  /** The rows that are not done stay pending. No attempt is counted. */
  | { readonly kind: 'interrupt'; readonly pending: number }
  /** Another attempt follows. `counted`: it uses one of the step's attempts. */
  | { readonly kind: 'retry'; readonly failed: FailedRows; readonly pending: number; readonly counted: boolean }
  /** The batch is given up, and its step with it. */
  | { readonly kind: 'giveUp'; readonly failure: Failure; readonly pending: number };

/** Rows to reject. `settleRejected` decides what follows. */
export interface RejectRows {
  readonly kind: 'reject';
  readonly rows: FailedRows;
  readonly throttled: FailedRows;
}

/** Decides how an attempt ends. A throttled call says nothing about its row, so such a failure never counts as an attempt. */
export function settle(facts: AttemptFacts): Verdict | RejectRows {
  const { failed, pending, rejects } = facts;
  if (isInterrupted(facts)) return { kind: 'interrupt', pending };
  const { throttled, others } = splitThrottled(failed);
  if (others.size > 0 && facts.failures + 1 < facts.attemptsMax) return { kind: 'retry', failed, pending, counted: true };
  if (others.size > 0 && rejects) return { kind: 'reject', rows: others, throttled };
  if (others.size === 0 && throttled.size > 0) return { kind: 'retry', failed: throttled, pending, counted: false };
  const failure = rejects ? null : lostFailure(others, facts.rejection);
  return failure ? { kind: 'giveUp', failure, pending } : { kind: 'succeed' };
}

/** Decides how an attempt ends after rows were rejected on its last try, which may have made the step pause. */
export function settleRejected(
  { rows, throttled }: RejectRows,
  { isPausing, isLimitReached }: Pick<AttemptFacts, 'isPausing' | 'isLimitReached'>,
): Verdict {
  if (isPausing || isLimitReached) return { kind: 'interrupt', pending: rows.size + throttled.size };
  return throttled.size > 0 ? { kind: 'retry', failed: throttled, pending: throttled.size, counted: false } : { kind: 'succeed' };
}

/** Facts that decide how an attempt ends that failed outside of any row. */
export interface BrokenFacts extends Pick<AttemptFacts, 'pending' | 'failures' | 'attemptsMax'> {
  readonly failure: RowFailure;
  /** Whether another attempt cannot help, because stored bytes are lost. */
  readonly isHopeless: boolean;
}

/** Decides how an attempt ends if its input could not be read or a resource did not open. */
export function settleBroken({ failure, pending, failures, attemptsMax, isHopeless }: BrokenFacts): Verdict {
  if (failure.pauses) return { kind: 'interrupt', pending };
  if (isHopeless || failures + 1 >= attemptsMax) return { kind: 'giveUp', failure: failure.failure, pending };
  return { kind: 'retry', failed: new Map([[0, failure]]), pending, counted: true };
}

/** Longest delay before another attempt, unless a provider asks for more. */
const backoffMaxMs = 5 * 60_000;
/** Doublings of the delay at most. Throttled attempts are not limited in number. */
const backoffDoublingsMax = 10;

/** Facts that decide when the next attempt begins. `random`: at least 0, less than 1. */
export interface RetryFacts {
  readonly failed: FailedRows;
  readonly counted: boolean;
  readonly attempt: number;
  readonly failures: number;
  readonly backoffMs: number;
  readonly now: Instant;
  readonly random: number;
}

/** Returns the milliseconds until the next attempt. They double with each attempt, and are never less than a provider asked for. */
export function retryDelayMs({ failed, counted, attempt, failures, backoffMs, now, random }: RetryFacts): number {
  const tries = counted ? failures : Math.min(attempt - 1, backoffDoublingsMax);
  const backoff = Math.min(backoffMaxMs, backoffMs * 2 ** tries) * (0.5 + random / 2);
  // `notBefore` counts from the provider's answer: rows that were still in flight may have taken all of that time.
  const notBefore = Array.from(failed.values()).reduce((latest, failure) => Math.max(latest, failure.notBefore ?? 0), 0);
  return Math.max(backoff, (notBefore - now) / 1000);
}

/** Returns the first failure, which is recorded for all rows to retry. */
export function firstFailure(failed: FailedRows): Failure {
  const [first] = failed.values();
  assert(first, 'something failed');
  return first.failure;
}

/** Returns the failure that is recorded for an interrupted attempt. */
export function interruption(
  pause: PauseWish | null,
  { isAborted, isLimitReached }: Pick<AttemptFacts, 'isAborted' | 'isLimitReached'>,
): Failure {
  const code = pause?.reason ?? (isLimitReached ? 'reject-limit' : 'interrupted');
  return { code, name: 'Interrupted', message: storableMessage(interruptionMessage(pause, isAborted, isLimitReached)), stack: '' };
}

function interruptionMessage(pause: PauseWish | null, isAborted: boolean, isLimitReached: boolean): string {
  if (pause) return pause.message;
  if (isAborted) return 'the run was stopped and calls in flight aborted';
  return isLimitReached ? 'the step reached its reject limit, and the run was stopped' : 'the run was stopped';
}

function isInterrupted({ isPausing, isAborted, isStopping, isLimitReached, rejection, failed, pending }: AttemptFacts): boolean {
  if (isPausing || isAborted || (isStopping && pending > failed.size)) return true;
  return isLimitReached && (rejection !== undefined || failed.size > 0);
}

function splitThrottled(failed: FailedRows): { readonly throttled: FailedRows; readonly others: FailedRows } {
  const { throttled = [], others = [] } = Object.groupBy(failed, ([, { isThrottled }]) => (isThrottled ? 'throttled' : 'others'));
  return { throttled: new Map(throttled), others: new Map(others) };
}

/** Returns the failure of the first lost row, or null. Under `onError: 'fail'` the step fails with it. */
function lostFailure(others: FailedRows, rejection: Rejection | undefined): Failure | null {
  const [first] = others.values();
  if (first) return first.failure;
  return rejection ? { code: rejection.code, name: 'Rejected', message: rejection.message, stack: '' } : null;
}
