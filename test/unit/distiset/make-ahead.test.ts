import { describe, expect, it } from 'vitest';
import { makeAhead, type MakeAheadLimits } from '../../../src/distiset/make-ahead.ts';

const light: MakeAheadLimits<number> = { weightOf: () => 1, weightMax: 100, countMax: 3 };

/** Numbers from 1, with a record of when each is fetched, made and used. */
async function told(count: number, ahead: MakeAheadLimits<number>): Promise<readonly string[]> {
  const lines: string[] = [];
  const numbers = async function* () {
    for (let n = 1; n <= count; n++) yield n;
  };
  const make = async (n: number) => {
    lines.push(`made ${n}`);
    return n;
  };
  for await (const n of makeAhead(numbers(), make, ahead)) {
    await new Promise((resolve) => setImmediate(resolve));
    lines.push(`used ${n}`);
  }
  return lines;
}

describe('a result that is made ahead', () => {
  it('is used in order, and the next is made before the last is used, however heavy it is', async () => {
    const heavy = { weightOf: () => 1_000, weightMax: 100, countMax: 3 };
    expect(await told(3, heavy)).toEqual(['made 1', 'made 2', 'used 1', 'made 3', 'used 2', 'used 3']);
  });

  it('is one of several if they are light, up to the maximum', async () => {
    const lines = 'made 1, made 2, made 3, made 4, used 1, made 5, used 2, used 3, used 4, used 5';
    expect((await told(5, light)).join(', ')).toBe(lines);
  });

  it('is one of as many as the weight limit allows', async () => {
    const each40 = { weightOf: () => 40, weightMax: 100, countMax: 9 };
    expect((await told(9, each40)).slice(0, 4)).toEqual(['made 1', 'made 2', 'made 3', 'used 1']);
  });

  it('is made concurrently and yielded in order', async () => {
    let inMaking = 0;
    let most = 0;
    const make = async (n: number) => {
      most = Math.max(most, ++inMaking);
      await new Promise((resolve) => setTimeout(resolve, 10 - n));
      inMaking--;
      return n;
    };
    const numbers = async function* () {
      for (let n = 1; n <= 8; n++) yield n;
    };
    expect(await Array.fromAsync(makeAhead(numbers(), make, light))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(most).toBe(3);
  });

  it('fails when it is due, whether fetching or making it failed', async () => {
    const failing = async function* () {
      yield 1;
      throw new Error('no second');
    };
    const numbers = async function* () {
      yield* [1, 2, 3, 4];
    };
    const refuse = async (n: number) => {
      if (n === 2) throw new Error('no second');
      return n;
    };
    const used: number[] = [];
    const use = async (items: AsyncGenerator<number>) => {
      for await (const n of items) used.push(n);
    };
    await expect(use(makeAhead(failing(), async (n) => n, light))).rejects.toThrow('no second');
    await expect(use(makeAhead(numbers(), refuse, light))).rejects.toThrow('no second');
    expect(used).toEqual([1, 1]);
  });

  it('ends its source when the caller stops reading', async () => {
    let isEnded = false;
    const endless = async function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isEnded = true;
      }
    };
    for await (const n of makeAhead(endless(), async (made) => made, light)) if (n === 3) break;
    expect(isEnded).toBe(true);
  });
});
