import { describe, expect, it } from 'vitest';
import { resumePipeline, retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { canonicalJson, type JsonObject } from '../../../src/kit/json.ts';
import { memoryStore, verify, type Store } from '../../../src/log/index.ts';
import { plan } from '../../../src/pipeline/index.ts';
import { randomFrom } from '../random.ts';
import { rowsOf } from './engine.ts';
import { expectedTables, pipelineOf, randomWorld, type World } from './random-pipeline.ts';

const first = Number(process.env['DISTILOG_SEED'] ?? 0);
const seeds = Array.from({ length: Number(process.env['DISTILOG_SEEDS'] ?? 20) }, (_, index) => first + index);

/** Runs a world to its end, taken over by another driver again and again on the way. */
async function disturbed(world: World, takeovers: number) {
  const random = randomFrom(world.seed * 7 + takeovers);
  const store = memoryStore();
  const options = { isRejectLimitLifted: true };
  const wait = async () => {
    for (let turns = random.below(60); turns > 0; turns--) await new Promise(setImmediate);
  };
  let run = await startPipeline(store, plan(pipelineOf(world)), { seed: 1, ...options });
  for (let taken = 0; taken < takeovers; taken++) {
    const driving = run.drive().catch((error: unknown) => codeOf(error));
    await wait();
    try {
      run = await resumePipeline(store, plan(pipelineOf(world)), {
        runId: run.runId,
        seize: true,
        acceptedChanges: [],
        concurrency: {},
        skip: [],
        ...options,
      });
    } catch (error) {
      if (codeOf(error) !== 'run-is-over') throw error;
      await driving;
      return { store, runId: run.runId };
    }
    expect(['fenced', 'connection-lost', undefined]).toContain(typeof (await driving) === 'string' ? await driving : undefined);
  }
  await run.drive();
  return { store, runId: run.runId };
}

describe('a random pipeline of every operator', () => {
  it.each(seeds)('has the output that its operators define, in order, across takeovers (seed %i)', async (seed) => {
    const world = randomWorld(seed);
    const of = plan(pipelineOf(world));
    const tables = expectedTables(world, of);
    for (const takeovers of [0, 3]) {
      const { store, runId } = await disturbed(world, takeovers);
      const leaves = await rowsOf(store, runId);
      const names = Object.keys(leaves);
      const expected = names.map((name) => [name, tables.get(name === 'default' ? leafOf(of) : name)]);
      expect(leaves).toEqual(Object.fromEntries(expected));
      expect(await verify(store, runId)).toMatchObject({ ok: true });
      await checkRetry(store, runId, world, leaves);
      world.isRepaired = false;
    }
  });
});

/** Tries what was rejected again, now that it comes through: the rows of a run in which nothing was rejected, and the past as it was. */
async function checkRetry(store: Store, runId: string, world: World, before: Awaited<ReturnType<typeof rowsOf>>): Promise<void> {
  const head = await store.log.head(runId);
  world.isRepaired = true;
  const of = plan(pipelineOf(world));
  const options = { runId, acceptedChanges: [], concurrency: {}, isRejectLimitLifted: true };
  const retrying = await retryPipeline(store, of, options).catch((error: unknown) => codeOf(error));
  if (typeof retrying === 'string' || retrying === undefined) {
    expect(['nothing-rejected', 'not-exact']).toContain(retrying);
    return;
  }
  expect(await retrying.drive()).toMatchObject({ rest: 'succeeded' });
  const tables = expectedTables(world, of);
  const after = await rowsOf(store, runId);
  const sorted = (rows: readonly JsonObject[] = []) => rows.map(canonicalJson).sort();
  for (const [name, rows] of Object.entries(after)) {
    expect([name, sorted(rows)]).toEqual([name, sorted(tables.get(name === 'default' ? leafOf(of) : name))]);
    expect(rows.slice(0, before[name]?.length)).toEqual(before[name]);
  }
  expect(await rowsOf(store, runId, head?.position)).toEqual(before);
  expect(await verify(store, runId)).toMatchObject({ ok: true });
}

function leafOf({ steps }: ReturnType<typeof plan>): string {
  const above = new Set(Array.from(steps.values()).flatMap(({ upstream }) => upstream));
  return Array.from(steps.keys()).find((name) => !above.has(name)) ?? '';
}
