import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Pipeline } from '../../../src/pipeline/index.ts';
import { rowsOf } from './engine.ts';

const lanes = 10;
const batchSize = 10;
/** Rows of which one in each batch is slow, and enough batches that the slow ones fill the lanes. */
const count = lanes * batchSize;

/** Calls, of which that for the first row of each batch ends only once `open` is called. */
class Calls {
  readonly #gate = Promise.withResolvers<void>();
  begun = 0;
  ended = 0;
  inFlightMax = 0;

  open(): void {
    this.#gate.resolve();
  }

  async make(n: number): Promise<void> {
    this.begun++;
    this.inFlightMax = Math.max(this.inFlightMax, this.begun - this.ended);
    if (n % batchSize === 0) await this.#gate.promise;
    else await Promise.resolve();
    this.ended++;
  }
}

const numbers = { output: z.object({ n: z.int() }), batchSize, rows: Array.from({ length: count }, (_, n) => ({ n })) };
const output = z.object({ m: z.int() });
const options = { concurrency: lanes };

const shapes: Readonly<Record<string, (calls: Calls) => Pipeline>> = {
  map: (calls) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers).map('slow', { output, version: 1, run: async ({ n }) => (await calls.make(n), { m: n }) }, options);
    }),
  flatMap: (calls) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers).flatMap('slow', { output, version: 1, run: async ({ n }) => (await calls.make(n), [{ m: n }]) }, options);
    }),
  filter: (calls) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers).filter('slow', { version: 1, keep: async ({ n }) => (await calls.make(n), true) }, options);
    }),
  'a step above one of a single lane': (calls) =>
    pipeline('p', ({ source }) => {
      const slow = source('rows', numbers).map(
        'slow',
        { output, version: 1, run: async ({ n }) => (await calls.make(n), { m: n }) },
        options,
      );
      slow.batch(
        'pairs',
        { output: z.object({ k: z.int() }), version: 1, run: (rows) => rows.map(({ m }) => ({ k: m })) },
        { batchSize: 2, concurrency: 1 },
      );
    }),
  'a branch of a join': (calls) =>
    pipeline('p', ({ source, join }) => {
      const rows = source('rows', numbers);
      const slow = rows.map('slow', { output, version: 1, run: async ({ n }) => (await calls.make(n), { m: n }) }, options);
      const fast = rows.map('fast', { output: z.object({ k: z.int() }), version: 1, run: ({ n }) => ({ k: n }) });
      join('both', [slow, fast]);
    }),
  'a step whose rows failed once and wait for another attempt': (calls) =>
    pipeline('p', ({ source }) => {
      const failed = new Set<number>();
      const run = async ({ n }: { readonly n: number }) => {
        if (n % batchSize === 5 && !failed.has(n)) {
          failed.add(n);
          throw new Error('not now');
        }
        await calls.make(n);
        return { m: n };
      };
      source('rows', numbers).map('slow', { output, version: 1, run }, { ...options, retry: { attempts: 2, backoffMs: 1 } });
    }),
};

describe('slow calls among fast ones', () => {
  it.each(Object.entries(shapes))('leave no lanes empty: %s', async (_what, shape) => {
    const calls = new Calls();
    const store = memoryStore();
    const run = await startPipeline(store, plan(shape(calls)), { seed: 1 });
    const driving = run.drive();
    // One call of each batch is slow: all lanes are taken once each batch is open, however many rows of them have ended.
    await expect.poll(() => calls.begun - calls.ended, { timeout: 60_000 }).toBe(lanes);
    expect(calls.inFlightMax).toBe(lanes);
    calls.open();
    expect((await driving).rest).toBe('succeeded');
    expect(Object.values(await rowsOf(store, run.runId)).map((rows) => rows.length)).toEqual([count]);
  });
});
