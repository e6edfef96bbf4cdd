import { originColumn } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { sha256 } from '../kit/sha256.ts';
import type { RowsWiseRunnable, RowWiseRunnable } from '../pipeline/index.ts';
import type { View } from '../rows/index.ts';
import type { Attempt } from './attempt.ts';

/** Origins of the calls of a batch, from which their keys and seeds are made. */
export interface Origins {
  /** Returns the origin of an input row of the batch, by its number, or of a call for many rows (null). It is empty for a step's only call. */
  get(row: number | null): string;
}

/** Characters of the hash that identifies the rows of a call. */
const rowsHashLength = 32;

/** Returns the origins of a part of a batch's input, which begins with the batch's row `first`. Reads them only for a step that may ask for them. */
export function originsOf(attempt: Attempt, step: RowWiseRunnable, part: View, first: number): Promise<Origins> | Origins {
  return step.readsOrigin ? readOrigins(attempt, part, first) : unreadOrigins(step.name);
}

async function readOrigins(attempt: Attempt, part: View, first: number): Promise<Origins> {
  if ((await attempt.context.seeds()) === 'batch') return originsByNumber(attempt.task.batch);
  const origins = await part.column(originColumn);
  return { get: (row) => origins[(row ?? 0) - first] as string };
}

/**
 * Returns the origin of a call of `mapBatch`, a hash of the rows that it gets. A retry may get fewer rows, so two calls have the same key only if they
 * get the same rows.
 */
export async function originOfRows(attempt: Attempt, step: RowsWiseRunnable, input: View, rows: readonly number[]): Promise<Origins> {
  if (!step.readsOrigin) return unreadOrigins(step.name);
  if ((await attempt.context.seeds()) === 'batch') return originsByNumber(attempt.task.batch);
  const origins = await input.column(originColumn);
  const text = sha256(rows.map((row) => origins[row] as string).join('\n')).slice(0, rowsHashLength);
  return { get: () => `rows/${text}` };
}

/** Returns the origin of a call that makes new rows from a whole batch: the batch's number. A retry in a later pass gets the same rows under that number. */
export async function originOfBatch(attempt: Attempt, step: RowsWiseRunnable): Promise<Origins> {
  if (!step.readsOrigin) return unreadOrigins(step.name);
  if (step.operator === 'batch' || (await attempt.context.seeds()) === 'batch') return originsByNumber(attempt.task.batch);
  return { get: () => '' };
}

/** The origins of version 0.1.0: the row's number in the input of its batch, which differs in each pass. */
const originsByNumber = (batch: number): Origins => ({ get: (row) => (row === null ? String(batch) : `${batch}/${row}`) });

const unreadOrigins = (step: string): Origins => ({
  get: () => assert(false, `the function of step ${step} does not read its row's origin`) as never,
});
