import { rowAt } from '../distiset/index.ts';
import type { Store } from '../log/index.ts';
import type { RowName } from '../rows/index.ts';
import { findStep } from './find-step.ts';
import { parseRowId } from './row-id.ts';

/**
 * Returns the row that `STEP:BATCH/ROW` or `STEP:N` names as of a position. `STEP` may be a config of the dataset.
 * Throws `Fault('invalid-row')` and `Fault('unknown-row')`.
 */
export async function findRow(store: Store, runId: string, asked: string, position: number): Promise<RowName> {
  const { step: name, index, place } = parseRowId(asked);
  const step = await findStep(store, runId, name);
  return place ? { ...place, step } : rowAt(store, runId, step, index, position);
}
