import type { ErrorGroup, RunStates } from '../../projections/index.ts';
import { losses } from '../distiset/index.ts';
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

/** Returns the losses of a run by step and cause, failed attempts that were retried left out. */
export const lossGroups = ({ errors }: Pick<RunStates, 'errors'>): readonly ErrorGroup[] =>
  errors.groups.filter(({ kind }) => kind !== 'attempt');

/** Lists all losses up to a position, without their inputs. `states` are the run's as of that position. */
export async function lossList(
  store: Store,
  runId: string,
  position: number,
  { graph }: Pick<RunStates, 'graph'>,
): Promise<{ readonly rejected: readonly RejectedRowView[]; readonly failedBatches: readonly FailedBatchView[] }> {
  const rejected: RejectedRowView[] = [];
  const failedBatches: FailedBatchView[] = [];
  for await (const loss of losses(store, runId, position)) {
    const { step, batch, position: at, code, message } = loss;
    if (loss.kind === 'batch') failedBatches.push({ step, batch, position: at, code, message, rows: loss.rows });
    else {
      const triedAgain = at <= (graph.steps[step]?.owedUntil ?? 0);
      rejected.push({ step, batch, position: at, row: loss.row, code, message, attempts: loss.attempts, triedAgain });
    }
  }
  return { rejected, failedBatches };
}
