import { ownProcess, type Told } from '../measured-process.ts';
import { requireVerified } from '../require-verified.ts';
import type { BenchDatabase } from '../server.ts';
import { keptOf } from './pipelines.ts';
import { requireRows } from './require-rows.ts';

/** Which run of ours: of a pipeline, with so many rows going in. */
export interface OwnRun {
  readonly pipeline: 'trivial' | 'calls' | 'heavy-tail';
  readonly runId: string;
  readonly rows: number;
  /** Further arguments of the pipeline. */
  readonly options?: readonly number[] | undefined;
}

/** The program that does it. */
export const runProgram = new URL('run-child.ts', import.meta.url);

/** Runs it in a process of its own. Afterwards the log is verified and rows are counted; throws where anything is not as it has to be. */
export async function ownRun(database: BenchDatabase, { pipeline, runId, rows, options = [] }: OwnRun): Promise<Told> {
  const store = await database.store();
  const told = await ownProcess('run', runProgram, [pipeline, database.url, runId, rows, ...options]);
  await requireVerified(store, runId);
  await requireRows(store, runId, pipeline === 'trivial' ? keptOf(rows) : rows);
  return told;
}
