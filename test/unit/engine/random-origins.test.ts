import { describe, expect, it } from 'vitest';
import { resumePipeline, retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore, runLogId, type Store } from '../../../src/log/index.ts';
import { plan, type Plan } from '../../../src/pipeline/index.ts';
import { rowReader } from '../../../src/rows/index.ts';
import { originColumn } from '../../../schema/index.ts';
import { eventsOf } from './engine.ts';
import { pipelineOf, randomWorld, type World } from './random-pipeline.ts';

const first = Number(process.env['DISTILOG_SEED'] ?? 0);
const seeds = Array.from({ length: Number(process.env['DISTILOG_SEEDS'] ?? 10) }, (_, index) => first + index);

const options = { acceptedChanges: [], concurrency: {}, isRejectLimitLifted: true } as const;

/** Runs a world, taken over by another driver on the way, and tries what was rejected again. Returns the run's id. */
async function finished(world: World, store: Store): Promise<string> {
  const of = () => plan(pipelineOf(world));
  const { runId, ...run } = await startPipeline(store, of(), { seed: 1, isRejectLimitLifted: true });
  const driving = run.drive().catch((error: unknown) => codeOf(error));
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  const taken = await resumePipeline(store, of(), { ...options, runId, seize: true, skip: [] }).catch((error: unknown) => {
    if (codeOf(error) !== 'run-is-over') throw error;
    return null;
  });
  await driving;
  await taken?.drive();
  world.isRepaired = true;
  const again = await retryPipeline(store, of(), { ...options, runId }).catch((error: unknown) => {
    if (!['nothing-rejected', 'not-exact'].includes(codeOf(error) ?? '')) throw error;
    return null;
  });
  await again?.drive();
  return runId;
}

/** The origins of the rows that a step put out, and of those that went into it: these more than once where rows were tried again. */
interface Origins {
  readonly out: readonly string[];
  readonly into: readonly string[];
}

async function originsOf(store: Store, runId: string, of: Plan): Promise<ReadonlyMap<string, Origins>> {
  const { steps } = of.manifest;
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
  const found = new Map(steps.map(({ name }) => [name, { out: [] as string[], into: [] as string[] }]));
  for (const event of await eventsOf(store, runId)) {
    if (event.type !== 'BatchSucceeded') continue;
    const { step, pass, batch, data } = event;
    const origins = found.get(step);
    for await (const view of reader.output({ step, pass, batch })) origins?.out.push(...((await view.column(originColumn)) as string[]));
    origins?.into.push(...((await (await reader.input(step, data.inputs)).column(originColumn)) as string[]));
  }
  return found;
}

describe('the rows of a random pipeline', () => {
  it.each(seeds)(
    'have one origin each, in every pass and with every driver, and their calls have keys made of it (seed %i)',
    async (seed) => {
      const calls = new Map<string, Map<string, Set<string>>>();
      const world: World = {
        ...randomWorld(seed),
        ...(seed % 3 === 0 ? { key: 'n' } : {}),
        onCall: (step, key, row) => {
          const ofStep = calls.get(step) ?? new Map<string, Set<string>>();
          calls.set(step, ofStep.set(key, (ofStep.get(key) ?? new Set()).add(row)));
        },
      };
      const store = memoryStore();
      const runId = await finished(world, store);
      const of = plan(pipelineOf(world));
      for (const [step, { out, into }] of await originsOf(store, runId, of)) {
        expect([step, new Set(out).size]).toEqual([step, out.length]);
        const ofCalls = calls.get(step);
        if (!ofCalls) continue;
        // Whatever was tried came in, whatever came in was tried, and attempts at one key are attempts at one row.
        expect([step, [...ofCalls.keys()].sort()]).toEqual([step, [...new Set(into)].map((origin) => `${runId}/${step}/${origin}`).sort()]);
        for (const [key, rows] of ofCalls) expect([key, rows.size]).toEqual([key, 1]);
      }
    },
  );
});
