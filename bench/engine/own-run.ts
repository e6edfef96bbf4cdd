import { ownProcess, type Measurement } from '../measured-process.ts';
import { requireVerified } from '../require-verified.ts';
import type { BenchDatabase } from '../server.ts';
import { keptOf } from './pipelines.ts';
import { requireRows } from './require-rows.ts';

/** A run of distilog: its pipeline and its number of input rows. */
export interface OwnRun {
  readonly pipeline: 'trivial' | 'calls' | 'heavy-tail';
  readonly runId: string;
  readonly rows: number;
  /** Further arguments of the pipeline. */
  readonly options?: readonly number[] | undefined;
}

/** The program that runs it. */
export const runProgram = new URL('run-child.ts', import.meta.url);

/** Runs a pipeline in a process of its own, then verifies the log and counts the rows. Throws if either is wrong. */
export async function ownRun(database: BenchDatabase, { pipeline, runId, rows, options = [] }: OwnRun): Promise<Measurement> {
  const store = await database.store();
  const measurement = await ownProcess('run', runProgram, [pipeline, database.url, runId, rows, ...options]);
  await requireVerified(store, runId);
  await requireRows(store, runId, pipeline === 'trivial' ? keptOf(rows) : rows);
  return measurement;
}
