import type { ErrorGroup, RunStates } from '../../projections/index.ts';
import { failedBatches, lostRows } from '../distiset/index.ts';
import type { Store } from '../log/index.ts';

/** A rejected row with its cause. */
export interface RejectedRowView {
  readonly step: string;
  readonly batch: number;
  readonly position: number;
  readonly row: number;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** Whether a later pass tries the row again without a request. */
  readonly triedAgain: boolean;
}

/** A batch that was given up, with its cause. */
export interface FailedBatchView {
  readonly step: string;
  readonly batch: number;
  readonly position: number;
  readonly code: string;
  readonly message: string;
  readonly rows: number;
}

/** Returns the losses of a run by step and cause, without failed attempts that were retried. */
export const lossGroups = ({ errors }: Pick<RunStates, 'errors'>): readonly ErrorGroup[] =>
  errors.groups.filter(({ kind }) => kind !== 'attempt');

/** Yields the rejected rows of a run up to a position, without their inputs. `states` are the run's as of that position. */
export async function* rejectedRowViews(
  store: Store,
  runId: string,
  position: number,
  { graph }: Pick<RunStates, 'graph'>,
): AsyncGenerator<RejectedRowView> {
  for await (const { step, batch, row, position: at, code, message, attempts } of lostRows(store, runId, position))
    yield { step, batch, position: at, row, code, message, attempts, triedAgain: at <= (graph.steps[step]?.owedUntil ?? 0) };
}

/** Yields the batches of a run that were given up by a position. */
export async function* failedBatchViews(store: Store, runId: string, position: number): AsyncGenerator<FailedBatchView> {
  for await (const { step, batch, position: at, code, message, rows } of failedBatches(store, runId, position))
    yield { step, batch, position: at, code, message, rows };
}
