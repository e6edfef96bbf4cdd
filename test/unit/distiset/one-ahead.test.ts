import { describe, expect, it } from 'vitest';
import { oneAhead } from '../../../src/distiset/one-ahead.ts';

describe('what is fetched one ahead', () => {
  it('is the same in the same order, and the next is fetched before the last is used', async () => {
    const told: string[] = [];
    const numbers = async function* () {
      for (const n of [1, 2, 3]) {
        told.push(`fetched ${n}`);
        yield n;
      }
    };
    for await (const n of oneAhead(numbers())) {
      await Promise.resolve();
      told.push(`used ${n}`);
    }
    expect(told).toEqual(['fetched 1', 'fetched 2', 'used 1', 'fetched 3', 'used 2', 'used 3']);
  });

  it('fails when the turn of what failed has come', async () => {
    const failing = async function* () {
      yield 1;
      throw new Error('no second');
    };
    const used: number[] = [];
    const all = (async () => {
      for await (const n of oneAhead(failing())) used.push(n);
    })();
    await expect(all).rejects.toThrow('no second');
    expect(used).toEqual([1]);
  });

  it('ends what it fetches from when nobody wants more', async () => {
    let isEnded = false;
    const endless = async function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isEnded = true;
      }
    };
    for await (const n of oneAhead(endless())) if (n === 3) break;
    expect(isEnded).toBe(true);
  });
});
