import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore, sideLogId } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, rowsOf } from './engine.ts';

describe('the journal of a step that makes many rows of each', () => {
  it.each([
    ['a few', 3],
    ['so many that their chunks are used as they are', 700],
    ['more than a chunk holds', 2_300],
  ])('keeps what is done when the driver is lost, and puts it in order: %s', async (_what, copies) => {
    const calls = new Map<number, number>();
    // The second half of the rows is held until another driver has the run.
    const takenOver = Promise.withResolvers<void>();
    const of = plan(
      pipeline('slow', ({ source }) => {
        source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 12 }, (_, n) => ({ n })), batchSize: 12 }).flatMap(
          'many',
          {
            output: z.object({ copy: z.int() }),
            version: 1,
            run: async function* ({ n }) {
              calls.set(n, (calls.get(n) ?? 0) + 1);
              // Rows end in another order than they began.
              await sleep(n % 3 === 0 ? 35 : 15);
              if (n >= 6) await takenOver.promise;
              for (let copy = 0; copy < copies; copy++) yield { copy };
            },
          },
          { concurrency: 2 },
        );
      }),
    );
    const store = memoryStore();
    const run = await startPipeline(store, of, { seed: 1 });
    const driving = run.drive().catch(codeOf);
    const recorded = async () => (await eventsOf(store, run.runId)).filter(({ type }) => type === 'BatchProgressed');
    await expect.poll(async () => (await recorded()).length).toBeGreaterThan(0);
    const resumed = await resumePipeline(store, of, { runId: run.runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] });
    const told = await recorded();
    takenOver.resolve();
    await driving;
    const before = new Map(calls);
    await resumed.drive();

    expect(await rowsOf(store, run.runId)).toEqual({
      default: Array.from({ length: 12 }, (_, n) => Array.from({ length: copies }, (_each, copy) => ({ n, copy }))).flat(),
    });
    const done = told.flatMap((event) => (event.type === 'BatchProgressed' ? event.data.done : []));
    for (const [from, to] of done) for (let n = from; n < to; n++) expect([n, calls.get(n)]).toEqual([n, before.get(n)]);
    expect(done.length).toBeGreaterThan(0);
  });
});

describe('a driver that lost its run', () => {
  it('tells beside the log all that its calls cost, those too that it had been about to write down', async () => {
    const [first, takenOver] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const of = plan(
      pipeline('paid', ({ source }) => {
        source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 0 }, { n: 1 }] }).map('asked', {
          output: z.object({ m: z.int() }),
          version: 1,
          run: async ({ n }, { usage }) => {
            if (n === 1) await takenOver.promise;
            usage({ model: 'oracle', inputTokens: 10 + n });
            if (n === 0) first.resolve();
            return { m: n };
          },
        });
      }),
    );
    const store = memoryStore();
    const run = await startPipeline(store, of, { seed: 1 });
    const driving = run.drive().catch(codeOf);
    // Its row is finished, and the journal has most of a second until it records that.
    await first.promise;
    await turn();
    const next = await resumePipeline(store, of, { runId: run.runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] });
    takenOver.resolve();
    const finishing = next.drive();
    expect(await driving).toBe('fenced');
    await finishing;
    const told = (await Array.fromAsync(store.log.read(sideLogId(run.runId)))).flat();
    expect(told).toMatchObject([{ type: 'LateResult', step: 'asked', data: { usage: [{ model: 'oracle', calls: 2, inputTokens: 21 }] } }]);
  });
});
