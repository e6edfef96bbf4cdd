import type { StepState } from '../../projections/index.ts';
import { isRunning, type NumberedBatch } from './open-batches.ts';

/** The worker's knowledge of running batches, which the log does not hold. */
export interface Load {
  /** Returns a running batch's calls in flight plus its rows whose call has not begun, or undefined if the worker has not begun the batch. */
  unfinished(step: string, batch: number): number | undefined;
  /** Returns the sum of `unfinished` over the batches of a step that the worker has begun. */
  unfinishedOf(step: string): number;
  /** Returns the bytes of a step's finished rows that are held in memory until they are recorded. */
  heldBytes(step: string): number;
}

/** A load that knows no batch, so every row of a running batch counts as unfinished. */
export const unknownLoad: Load = { unfinished: () => undefined, unfinishedOf: () => Number.POSITIVE_INFINITY, heldBytes: () => 0 };

/** Operators whose function gets the rows of a batch together, so a batch is one call. */
const batchWise: ReadonlySet<string> = new Set(['mapBatch', 'batch', 'global']);

/** Returns the calls that a step with `concurrency` lanes should have ready: one per lane, and a quarter more for the time in which the next batch starts. */
export const callsWanted = (concurrency: number): number => concurrency + Math.ceil(concurrency / 4);

/** Returns the batches of a step that run at the same time at most. All but the last few only wait for their slowest calls. */
export const runningBatchesMax = (concurrency: number): number => 4 + 2 * concurrency;

/** Bytes of a step's finished rows in memory beyond which its lanes are not filled by more batches. */
const heldBytesMax = 64 * 1024 * 1024;

/** Decides, batch by batch, whether another may start. */
export interface Room {
  /** Takes room for a batch of `rows` rows. Returns false if there is none. */
  take(rows: number): boolean;
  /** Whether a batch was refused. */
  readonly isShort: boolean;
}

/**
 * Returns the room that a step has for more batches. `concurrency` counts calls, so another batch starts for either of two reasons:
 *
 * 1. Without the largest one, the running batches hold fewer rows than there are lanes. Finished rows count, too. So a step with fast calls always has a
 *    batch ready.
 * 2. There are fewer calls in flight and rows not yet begun than lanes, however many batches are open. So slow calls among fast ones never leave lanes empty.
 *
 * The second reason needs the worker's knowledge, and is bounded by `runningBatchesMax` and `heldBytesMax`. Neither changes how batches are cut.
 */
export function roomOf(name: string, step: StepState, batches: readonly NumberedBatch[], load: Load): Room {
  const { concurrency, operator } = step.plan;
  const callsOf = (rows: number) => (batchWise.has(operator) ? 1 : rows);
  const running = batches.filter(([, open]) => isRunning(open));
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
