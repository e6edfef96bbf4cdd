import type { StepState } from '../../projections/index.ts';
import { isRunning, type NumberedBatch } from './open-batches.ts';

/** What the worker knows of running batches, and the log does not. */
export interface Load {
  /** Returns a running batch's calls in flight plus its rows whose call has not begun; undefined if the worker has not begun the batch. */
  unfinished(step: string, batch: number): number | undefined;
  /** Returns the same of all batches of a step that the worker has begun. */
  unfinishedOf(step: string): number;
  /** Returns the bytes of a step's finished rows that are held in memory until they are recorded. */
  heldBytes(step: string): number;
}

/** Knows nothing: every row of a running batch counts as unfinished. */
export const unknownLoad: Load = { unfinished: () => undefined, unfinishedOf: () => Number.POSITIVE_INFINITY, heldBytes: () => 0 };

/** Operators whose function gets a batch's rows together: a batch is one call. */
const batchWise: ReadonlySet<string> = new Set(['mapBatch', 'batch', 'global']);

/** Calls that should be at hand for a step with so many lanes: all lanes full, and a quarter more to follow while the next batch is being started. */
export const callsWanted = (concurrency: number): number => concurrency + Math.ceil(concurrency / 4);

/** Batches of a step that run at the same time, where each but the last few only waits for its slowest calls. */
export const runningBatchesMax = (concurrency: number): number => 4 + 2 * concurrency;

/** Bytes of a step's finished rows in memory beyond which its lanes are not filled by more batches. */
const heldBytesMax = 64 * 1024 * 1024;

/** Says, batch by batch, whether another may start. */
export interface Room {
  /** Takes room for a batch of so many rows; false if there is none. */
  take(rows: number): boolean;
  /** Whether a batch was refused. */
  readonly isShort: boolean;
}

/**
 * Returns the room that a step has for more batches. `concurrency` counts calls, so another batch starts for either of two reasons:
 *
 * 1. The running batches without the largest hold fewer rows than there are lanes, finished rows included: so a step of fast calls always has a batch ahead.
 * 2. Calls in flight and rows not yet begun fall short of the lanes, however many batches are open: so slow calls among fast ones never leave lanes empty.
 *
 * The second needs what the worker knows, and is bounded by `runningBatchesMax` and `heldBytesMax`. Neither changes how batches are cut.
 */
export function roomOf(name: string, step: StepState, opened: readonly NumberedBatch[], load: Load): Room {
  const { concurrency, operator } = step.plan;
  const callsOf = (rows: number) => (batchWise.has(operator) ? 1 : rows);
  const running = opened.filter(([, open]) => isRunning(open));
  let count = running.length;
  let calls = 0;
  let largest = 0;
  let unfinished = 0;
  for (const [batch, { rows }] of running) {
    calls += callsOf(rows);
    largest = Math.max(largest, callsOf(rows));
    unfinished += load.unfinished(name, batch) ?? callsOf(rows);
  }
  let isShort = false;
  const hasRoom = () =>
    count === 0 ||
    calls - largest < concurrency ||
    (unfinished < callsWanted(concurrency) && count < runningBatchesMax(concurrency) && load.heldBytes(name) < heldBytesMax);
  return {
    take: (rows) => {
      if (!hasRoom()) {
        isShort = true;
        return false;
      }
      count++;
      calls += callsOf(rows);
      largest = Math.max(largest, callsOf(rows));
      unfinished += callsOf(rows);
      return true;
    },
    get isShort() {
      return isShort;
    },
  };
}
