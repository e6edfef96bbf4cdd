import type { Failure, Rejection } from '../../schema/index.ts';
import { storableMessage } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { Instant } from '../kit/instant.ts';
import type { PauseWish } from '../scheduler/index.ts';
import type { RowFailure } from './row-failure.ts';

/** Failures by input row. */
export type FailedRows = ReadonlyMap<number, RowFailure>;

/** What decides how an attempt ends, once its rows were tried. */
export interface AttemptFacts {
  /** Rows whose calls failed and may be retried. */
  readonly failed: FailedRows;
  /** Rows that are not done, failed ones included. */
  readonly pending: number;
  /** Earlier attempts that failed and count. */
  readonly failures: number;
  readonly attemptsMax: number;
  /** Whether a lost row costs only itself, not its step. */
  readonly rejects: boolean;
  /** Whether the attempt wishes the run to pause. */
  readonly isPausing: boolean;
  /** Whether calls in flight were aborted. */
  readonly isAborted: boolean;
  /** Whether no more rows are handed out. */
  readonly isStopping: boolean;
  /** Whether the step has rejected too much. */
  readonly hasTripped: boolean;
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

/** Rows to reject. Then `settleRejected` decides. */
export interface RejectRows {
  readonly kind: 'reject';
  readonly rows: FailedRows;
  readonly throttled: FailedRows;
}

/** Decides how an attempt ends. A throttled call says nothing about its row: such a failure costs no attempt, however often it comes. */
export function settle(facts: AttemptFacts): Verdict | RejectRows {
  const { failed, pending, rejects } = facts;
  if (isInterrupted(facts)) return { kind: 'interrupt', pending };
  const { throttled, others } = splitThrottled(failed);
  if (others.size > 0 && facts.failures + 1 < facts.attemptsMax) return { kind: 'retry', failed, pending, counted: true };
  if (others.size > 0 && rejects) return { kind: 'reject', rows: others, throttled };
  if (others.size === 0 && throttled.size > 0) return { kind: 'retry', failed: throttled, pending, counted: false };
  const lost = rejects ? null : lostFailure(others, facts.rejection);
  return lost ? { kind: 'giveUp', failure: lost, pending } : { kind: 'succeed' };
}

/** Decides how an attempt ends after rows were rejected on its last try, which may have made the step pause. */
export function settleRejected(
  { rows, throttled }: RejectRows,
  { isPausing, hasTripped }: Pick<AttemptFacts, 'isPausing' | 'hasTripped'>,
): Verdict {
  if (isPausing || hasTripped) return { kind: 'interrupt', pending: rows.size + throttled.size };
  return throttled.size > 0 ? { kind: 'retry', failed: throttled, pending: throttled.size, counted: false } : { kind: 'succeed' };
}

/** What decides how an attempt ends that broke outside of any row. */
export interface BrokenFacts extends Pick<AttemptFacts, 'pending' | 'failures' | 'attemptsMax'> {
  readonly failure: RowFailure;
  /** Whether no attempt can help, because stored bytes are lost. */
  readonly isHopeless: boolean;
}

/** Decides how an attempt ends whose input could not be read, or whose resource did not open. */
export function settleBroken({ failure, pending, failures, attemptsMax, isHopeless }: BrokenFacts): Verdict {
  if (failure.pauses) return { kind: 'interrupt', pending };
  if (isHopeless || failures + 1 >= attemptsMax) return { kind: 'giveUp', failure: failure.failure, pending };
  return { kind: 'retry', failed: new Map([[0, failure]]), pending, counted: true };
}

/** Longest delay before another attempt, unless a provider asks for more. */
const backoffMaxMs = 5 * 60_000;
/** Doublings of the delay, however often a provider asks for fewer calls. */
const backoffDoublingsMax = 10;

/** What decides when the next attempt begins. `random`: at least 0, less than 1. */
export interface RetryFacts {
  readonly failed: FailedRows;
  readonly counted: boolean;
  readonly attempt: number;
  readonly failures: number;
  readonly backoffMs: number;
  readonly now: Instant;
  readonly random: number;
}

/** Returns the milliseconds until the next attempt: they grow with the attempts, and are at least what a provider asked for. */
export function retryDelayMs({ failed, counted, attempt, failures, backoffMs, now, random }: RetryFacts): number {
  const tries = counted ? failures : Math.min(attempt - 1, backoffDoublingsMax);
  const backoff = Math.min(backoffMaxMs, backoffMs * 2 ** tries) * (0.5 + random / 2);
  // Counted from when the provider asked: rows that were still under way may have taken all of that time.
  const notBefore = Array.from(failed.values()).reduce((latest, failure) => Math.max(latest, failure.notBefore ?? 0), 0);
  return Math.max(backoff, (notBefore - now) / 1000);
}

/** Returns the failure that is recorded of rows to retry: the first. */
export function firstFailure(failed: FailedRows): Failure {
  const [first] = failed.values();
  assert(first, 'something failed');
  return first.failure;
}

/** Returns the failure that is recorded of an interrupted attempt. */
export function interruption(pause: PauseWish | null, { isAborted, hasTripped }: Pick<AttemptFacts, 'isAborted' | 'hasTripped'>): Failure {
  const code = pause?.reason ?? (hasTripped ? 'reject-limit' : 'interrupted');
  return { code, name: 'Interrupted', message: storableMessage(interruptionMessage(pause, isAborted, hasTripped)), stack: '' };
}

function interruptionMessage(pause: PauseWish | null, isAborted: boolean, hasTripped: boolean): string {
  if (pause) return pause.message;
  if (isAborted) return 'the run was stopped and calls in flight aborted';
  return hasTripped ? 'the step rejected too much, and the run was stopped' : 'the run was stopped';
}

function isInterrupted({ isPausing, isAborted, isStopping, hasTripped, rejection, failed, pending }: AttemptFacts): boolean {
  if (isPausing || isAborted || (isStopping && pending > failed.size)) return true;
  return hasTripped && (rejection !== undefined || failed.size > 0);
}

function splitThrottled(failed: FailedRows): { readonly throttled: FailedRows; readonly others: FailedRows } {
  const { throttled = [], others = [] } = Object.groupBy(failed, ([, { isThrottled }]) => (isThrottled ? 'throttled' : 'others'));
  return { throttled: new Map(throttled), others: new Map(others) };
}

/** Returns the failure of the first row that was lost: under `onError: 'fail'` it is why the step fails. */
function lostFailure(others: FailedRows, rejection: Rejection | undefined): Failure | null {
  const [first] = others.values();
  if (first) return first.failure;
  return rejection ? { code: rejection.code, name: 'Rejected', message: rejection.message, stack: '' } : null;
}
