import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore, sideLogId } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, rowsOf } from './engine.ts';

// The journal looks at its attempts at an interval, which passes only where a test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Longer than finished rows may stay unrecorded. */
const journalPeriodMs = 1_000;

describe('the journal of a step that makes many rows from each row', () => {
  it.each([
    ['few rows', 3],
    ['enough to reuse their chunks', 700],
    ['more than one chunk holds', 2_300],
  ])('keeps finished rows when the driver is lost, and orders them: %s', async (_what, copies) => {
    const calls = new Map<number, number>();
    const ended = Array.from({ length: 13 }, () => Promise.withResolvers<void>());
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
              if (n >= 6) await takenOver.promise;
              // Rows end in another order than they began.
              if (n % 3 === 0) await ended[n + 1]?.promise;
              for (let copy = 0; copy < copies; copy++) yield { copy };
              ended[n]?.resolve();
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
    // Both lanes are held, so the first half is finished.
    await expect.poll(() => calls.size).toBe(8);
    vi.advanceTimersByTime(journalPeriodMs);
    await expect.poll(async () => (await recorded()).length).toBeGreaterThan(0);
    const resumed = await resumePipeline(store, of, { runId: run.runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] });
    const journaled = await recorded();
    takenOver.resolve();
    await driving;
    const before = new Map(calls);
    await resumed.drive();

    expect(await rowsOf(store, run.runId)).toEqual({
      default: Array.from({ length: 12 }, (_, n) => Array.from({ length: copies }, (_each, copy) => ({ n, copy }))).flat(),
    });
    const done = journaled.flatMap((event) => (event.type === 'BatchProgressed' ? event.data.done : []));
    for (const [from, to] of done) for (let n = from; n < to; n++) expect([n, calls.get(n)]).toEqual([n, before.get(n)]);
    expect(done.length).toBeGreaterThan(0);
  });
});

describe('a driver that lost its run', () => {
  it('records the usage of all its calls in the side log, also of those that its journal had not recorded', async () => {
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
    // Its row is finished, and the journal has not recorded it.
    await first.promise;
    await turn();
    const next = await resumePipeline(store, of, { runId: run.runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] });
    takenOver.resolve();
    const finishing = next.drive();
    expect(await driving).toBe('fenced');
    await finishing;
    const sideEvents = (await Array.fromAsync(store.log.read(sideLogId(run.runId)))).flat();
    expect(sideEvents).toMatchObject([
      { type: 'LateResult', step: 'asked', data: { usage: [{ model: 'oracle', calls: 2, inputTokens: 21 }] } },
    ]);
  });
});
