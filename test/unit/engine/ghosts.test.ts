import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { Fault } from '../../../src/kit/fault.ts';
import { memoryStore, verify } from '../../../src/log/index.ts';
import { pipeline, plan, type Plan } from '../../../src/pipeline/index.ts';
import { hashed, randomFrom } from '../random.ts';
import { ran, resumed, rowsOf } from './engine.ts';

/** A random pipeline of real steps: a source, and up to six steps, each on a random earlier one. */
function randomPipeline(seed: number) {
  const random = randomFrom(seed);
  const shape = Array.from({ length: 1 + random.below(6) }, (_, index) => ({
    on: random.below(index + 1),
    kind: random.pick(['map', 'map', 'filter', 'select'] as const),
    batchSize: random.chance(0.4) ? 1 + random.below(20) : undefined,
  }));
  const total = random.below(90);
  const size = 1 + random.below(12);
  return pipeline(`random${seed}`, ({ source }) => {
    const rows = Array.from({ length: total }, (_, n) => ({ n }));
    const nodes = [source('source', { output: z.object({ n: z.int() }), rows, batchSize: size })];
    for (const [index, { on, kind, batchSize }] of shape.entries()) {
      const name = `step${index}`;
      const upstream = nodes[on] as (typeof nodes)[number];
      const run = async ({ n }: { n: number }) => {
        if (hashed(name, n) % 3 === 0) await sleep(hashed(n, name) % 4);
        if (hashed('reject', name, n) % 17 === 0) throw Object.assign(new Error('bad row'), { retryable: false });
        return { [`column${index}`]: hashed(name, n) };
      };
      if (kind === 'map')
        nodes.push(
          upstream.map(name, { output: z.object({ [`column${index}`]: z.int() }), run: run as never, batchSize } as never) as never,
        );
      if (kind === 'filter') nodes.push(upstream.filter(name, { keep: ({ n }) => hashed('keep', name, n) % 4 > 0, batchSize }));
      if (kind === 'select') nodes.push(upstream.select(name, ['n'], { batchSize }));
    }
  });
}

describe('a run that is taken over repeatedly, while its former drivers continue as stale writers', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed))('gives the same rows as an undisturbed run (seed %i)', async (seed) => {
    const pipe = randomPipeline(seed);
    const calm = await ran(pipe, { isRejectLimitLifted: true });
    const random = randomFrom(seed + 1000);
    const store = memoryStore();
    const planned: Plan = plan(pipe);
    const first = await startPipeline(store, planned, { seed: 1, isRejectLimitLifted: true });
    const { runId } = first;
    const ghosts: Promise<unknown>[] = [];
    let driving = first.drive();
    for (let takeovers = 0; takeovers < 4; takeovers++) {
      await sleep(random.below(12));
      ghosts.push(driving.catch((error: unknown) => error));
      const next = await resumePipeline(store, planned, {
        runId,
        seize: true,
        acceptedChanges: [],
        concurrency: {},
        skip: [],
        isRejectLimitLifted: true,
      }).catch((error: unknown) => error);
      if (!(next instanceof Error)) driving = (next as typeof first).drive();
      else break;
    }
    let { rest } = await driving;
    // A batch that was lost three times while it ran alone pauses the run, for it may be what takes the drivers down.
    while (rest === 'paused') rest = await resumed(store, runId, pipe, { isRejectLimitLifted: true });
    expect(rest).toBe(calm.rest);
    for (const ghost of await Promise.all(ghosts)) if (ghost instanceof Error) expect(ghost).toMatchObject({ code: 'fenced' });
    expect(await rowsOf(store, runId)).toEqual(await rowsOf(calm.store, calm.runId));
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });
});

describe('a takeover whose connection breaks', () => {
  it.each([
    ['before it is stored', false],
    ['after it is stored', true],
  ])('is retried, and the run continues: %s', async (_when, isStored) => {
    const pipe = pipeline('broken', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 50 }, (_, n) => ({ n })), batchSize: 5 });
    });
    const store = memoryStore();
    const { runId } = await startPipeline(store, plan(pipe), { seed: 1 });
    let breaks = 2;
    const openDriver: typeof store.log.openDriver = async (...args) => {
      const opened = await store.log.openDriver(...args);
      if (!opened.ok) return opened;
      const takeOver: typeof opened.session.takeOver = async (request) => {
        if (breaks-- <= 0) return opened.session.takeOver(request);
        if (isStored) await opened.session.takeOver(request);
        throw new Fault('connection-lost', 'the connection broke');
      };
      return { ok: true, session: { ...opened.session, takeOver } };
    };
    const breaking = { ...store, log: { ...store.log, openDriver } };
    const run = await resumePipeline(breaking, plan(pipe), { runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] });
    expect(await run.drive()).toMatchObject({ rest: 'succeeded' });
    expect((await rowsOf(store, runId))['default']).toHaveLength(50);
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });
});
