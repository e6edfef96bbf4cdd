import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDistiset } from '../../../src/distiset/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, resolveAsOf, verify } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';

const numbers = pipeline('numbers', ({ source }) => {
  const all = source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 250 }, (_, n) => ({ n })), batchSize: 20 });
  const doubled = all.map('doubled', {
    output: z.object({ twice: z.int() }),
    run: async ({ n }) => {
      if (n % 50 === 7) throw Object.assign(new Error('unlucky'), { retryable: false });
      return { twice: 2 * n };
    },
  });
  const even = doubled.filter('even', { keep: ({ n }) => n % 2 === 0 });
  const few = doubled.filter('few', { keep: ({ n }) => n < 30, batchSize: 7 }).select('only', ['twice']);
  return { even, few };
});

describe('a run', () => {
  it('delivers every row to every leaf, except those that it lists as lost', async () => {
    const store = memoryStore();
    const run = await startPipeline(store, plan(numbers), { seed: 1, runId: 'numbers-1' });
    const { rest } = await run.drive();
    expect(rest).toBe('partial');
    const asOf = await resolveAsOf(store.log, 'numbers-1', { kind: 'head' });
    const { configs } = await createDistiset(store, 'numbers-1', { asOf });
    expect(configs.map(({ name, state }) => [name, state])).toEqual([
      ['even', 'partial'],
      ['only', 'partial'],
    ]);
    const [even, only] = await Promise.all(configs.map(async ({ rows }) => Array.fromAsync(rows())));
    const survivors = Array.from({ length: 250 }, (_, n) => n).filter((n) => n % 50 !== 7);
    expect(even).toEqual(survivors.filter((n) => n % 2 === 0).map((n) => ({ n, twice: 2 * n })));
    expect(only).toEqual(survivors.filter((n) => n < 30).map((n) => ({ twice: 2 * n })));
    expect(await verify(store, 'numbers-1')).toMatchObject({ ok: true, firstBad: null });
  });
});
