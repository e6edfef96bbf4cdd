import { describe, expect, it } from 'vitest';
import { Coalescer } from '../../../src/postgres/coalescer.ts';

/** Doubles numbers and records which were doubled together. A call ends when the test ends it. */
function doubling(options: { readonly runningMax?: number; readonly countMax?: number; readonly weightMax?: number } = {}) {
  const calls: { readonly items: readonly number[]; readonly end: (error?: Error) => void }[] = [];
  const coalescer = new Coalescer(
    (items: readonly number[]) =>
      new Promise<readonly number[]>((resolve, reject) => {
        calls.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => 2 * item))) });
      }),
    { runningMax: 1, countMax: 3, weightMax: 100, weightOf: (item) => item, ...options },
  );
  return { calls, coalescer, items: () => calls.map(({ items }) => items) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a coalescer', () => {
  it('combines requests of the same turn, and requests that arrive while a call runs', async () => {
    const { calls, coalescer, items } = doubling();
    const first = [1, 2].map((item) => coalescer.add(item));
    await turn();
    const second = [3, 4, 5, 6].map((item) => coalescer.add(item));
    await turn();
    expect(items()).toEqual([[1, 2]]);
    calls[0]?.end();
    expect(await Promise.all(first)).toEqual([2, 4]);
    await turn();
    calls[1]?.end();
    await turn();
    calls[2]?.end();
    expect(await Promise.all(second)).toEqual([6, 8, 10, 12]);
    expect(items()).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('combines requests that follow from settled results, through any number of promises', async () => {
    const { calls, coalescer, items } = doubling();
    const later = async (item: number, promises: number) => {
      for (let settled = 0; settled < promises; settled++) await Promise.resolve();
      return coalescer.add(item);
    };
    const all = [coalescer.add(1), later(2, 3), later(3, 30)];
    await turn();
    expect(items()).toEqual([[1, 2, 3]]);
    for (const { end } of calls) end();
    expect(await Promise.all(all)).toEqual([2, 4, 6]);
  });

  it('never exceeds the limit of concurrent calls', async () => {
    const { calls, coalescer, items } = doubling({ runningMax: 2, countMax: 1 });
    const all = [1, 2, 3].map((item) => coalescer.add(item));
    await turn();
    expect(items()).toEqual([[1], [2]]);
    calls[1]?.end();
    await turn();
    expect(items()).toEqual([[1], [2], [3]]);
    for (const { end } of calls) end();
    expect(await Promise.all(all)).toEqual([2, 4, 6]);
  });

  it('never exceeds the weight of a call, except for a single heavier item', async () => {
    const { calls, coalescer, items } = doubling({ runningMax: 9 });
    const all = [60, 50, 500, 1].map((item) => coalescer.add(item));
    await turn();
    for (let ended = 0; ended < calls.length; ended++) {
      calls[ended]?.end();
      await turn();
    }
    expect(await Promise.all(all)).toEqual([120, 100, 1_000, 2]);
    expect(items().flat()).toEqual([60, 50, 500, 1]);
    for (const some of items()) expect(some.length === 1 || some.reduce((sum, item) => sum + item, 0) <= 100).toBe(true);
  });

  it('rejects the requests of a failed call, and no others', async () => {
    const { calls, coalescer } = doubling({ countMax: 2 });
    const all = [1, 2, 3].map((item) => coalescer.add(item));
    const settled = Promise.allSettled(all);
    await turn();
    calls[0]?.end(new Error('away'));
    await turn();
    calls[1]?.end();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await all[2]).toBe(6);
  });
});
