import { createDistiset } from '../../../src/distiset/index.ts';
import { resumePipeline, startPipeline, type EngineOptions } from '../../../src/engine/index.ts';
import type { JsonObject } from '../../../src/kit/json.ts';
import { memoryStore, resolveAsOf, runLogId, type MemoryStore, type Store } from '../../../src/log/index.ts';
import { plan, type Pipeline } from '../../../src/pipeline/index.ts';
import type { Rest } from '../../../src/scheduler/index.ts';
import type { RecordedEvent } from '../../../schema/index.ts';

/** The rows of every config, in order, as of a position; default: now. */
export async function rowsOf(store: Store, runId: string, position?: number): Promise<Readonly<Record<string, readonly JsonObject[]>>> {
  const wanted = position === undefined ? ({ kind: 'head' } as const) : ({ kind: 'position', position } as const);
  const asOf = await resolveAsOf(store.log, runLogId(runId), wanted);
  const { configs } = await createDistiset(store, runId, { asOf });
  return Object.fromEntries(await Promise.all(configs.map(async (config) => [config.name, await Array.fromAsync(config.rows())] as const)));
}

/** All events of a run. */
export const eventsOf = async (store: Store, runId: string): Promise<readonly RecordedEvent[]> =>
  (await Array.fromAsync(store.log.read(runId))).flat();

export interface Ran {
  readonly store: MemoryStore;
  readonly runId: string;
  readonly rest: Rest;
}

/** Runs a pipeline in memory until it rests. */
export async function ran(of: Pipeline, options: EngineOptions = {}): Promise<Ran> {
  const store = memoryStore();
  const run = await startPipeline(store, plan(of), { seed: 1, ...options });
  const { rest } = await run.drive();
  return { store, runId: run.runId, rest };
}

/** Resumes a run with a pipeline, until it rests. */
export async function resumed(
  store: Store,
  runId: string,
  of: Pipeline,
  options: Partial<Parameters<typeof resumePipeline>[2]> = {},
): Promise<Rest> {
  const run = await resumePipeline(store, plan(of), { runId, seize: false, acceptedChanges: [], concurrency: {}, skip: [], ...options });
  return (await run.drive()).rest;
}
