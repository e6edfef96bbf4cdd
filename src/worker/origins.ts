import { originColumn } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { sha256 } from '../kit/sha256.ts';
import type { RowsWiseRunnable, RowWiseRunnable } from '../pipeline/index.ts';
import type { View } from '../rows/index.ts';
import type { Attempt } from './attempt.ts';

/** Says what a call is about, as the call's key and seed do. */
export interface Origins {
  /** Returns the origin of an input row of the batch, by its number; null: that of a call about many rows, empty where there is one such call. */
  of(row: number | null): string;
}

/** Characters of the hash that stands for the rows of a call. */
const rowsHashLength = 32;

/** Returns the origins of a part of a batch's input, which begins with the batch's row `first`. They are looked up only for a step that may ask. */
export function originsOf(attempt: Attempt, step: RowWiseRunnable, part: View, first: number): Promise<Origins> | Origins {
  return step.readsOrigin ? originsIn(attempt, part, first) : unread(step.name);
}

async function originsIn(attempt: Attempt, part: View, first: number): Promise<Origins> {
  if ((await attempt.context.seeds()) === 'batch') return byNumber(attempt.task.batch);
  const origins = await part.column(originColumn);
  return { of: (row) => origins[(row ?? 0) - first] as string };
}

/**
 * Returns the origin of a call of `mapBatch`: the rows that it gets, which are fewer where it is tried again. So a call has the same key as another only if
 * it asks for the same.
 */
export async function originOfRows(attempt: Attempt, step: RowsWiseRunnable, input: View, rows: readonly number[]): Promise<Origins> {
  if (!step.readsOrigin) return unread(step.name);
  if ((await attempt.context.seeds()) === 'batch') return byNumber(attempt.task.batch);
  const origins = await input.column(originColumn);
  const text = sha256(rows.map((row) => origins[row] as string).join('\n')).slice(0, rowsHashLength);
  return { of: () => `rows/${text}` };
}

/** Returns the origin of a call that makes new rows of a whole batch: the batch. A retry in a later pass gets the same rows under the same number. */
export async function originOfBatch(attempt: Attempt, step: RowsWiseRunnable): Promise<Origins> {
  if (!step.readsOrigin) return unread(step.name);
  if (step.operator === 'batch' || (await attempt.context.seeds()) === 'batch') return byNumber(attempt.task.batch);
  return { of: () => '' };
}

/** As version 0.1.0 had it: by the row's number in the input of its batch, which is another one in each pass. */
const byNumber = (batch: number): Origins => ({ of: (row) => (row === null ? String(batch) : `${batch}/${row}`) });

const unread = (step: string): Origins => ({
  of: () => assert(false, `the function of step ${step} does not read its row's origin`) as never,
});
