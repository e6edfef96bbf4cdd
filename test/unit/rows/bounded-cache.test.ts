import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../../src/rows/bounded-cache.ts';
import { collectYoung, heapUsed } from '../heap-used.ts';

const filled = (weightMax: number, entries: readonly (readonly [string, number])[]) => {
  const cache = new BoundedCache<string>(weightMax);
  for (const [key, weight] of entries) cache.set(key, `value of ${key}`, weight);
  return cache;
};

const kept = (cache: BoundedCache<string>, keys: string) =>
  keys
    .split('')
    .filter((key) => cache.get(key) !== undefined)
    .join('');

describe('a bounded cache', () => {
  it('keeps the last used values, up to its weight', () => {
    const cache = filled(3, [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(cache.get('a')).toBe('value of a');
    cache.set('d', 'value of d', 1);
    expect(kept(cache, 'abcd')).toBe('acd');
  });

  it('evicts all other values for one that is heavier than the cache, and keeps that until the next', () => {
    const cache = filled(3, [
      ['a', 1],
      ['b', 9],
    ]);
    expect(kept(cache, 'ab')).toBe('b');
    cache.set('c', 'value of c', 1);
    expect(kept(cache, 'abc')).toBe('c');
  });

  it('adds to the weight of a value if it is still cached', () => {
    const cache = filled(3, [
      ['a', 1],
      ['b', 1],
    ]);
    cache.add('b', 'value of b', 2);
    expect(kept(cache, 'ab')).toBe('b');
    cache.add('a', 'value of a', 1);
    expect(kept(cache, 'ab')).toBe('b');
  });

  it('evicts values that were not used for some turns', () => {
    const cache = filled(9, [
      ['a', 1],
      ['b', 1],
    ]);
    cache.nextTurn(2);
    expect(kept(cache, 'b')).toBe('b');
    cache.set('c', 'value of c', 1);
    cache.nextTurn(2);
    expect(kept(cache, 'ac')).toBe('ac');
    for (const _ of [1, 2]) cache.nextTurn(2);
    expect(kept(cache, 'b')).toBe('');
    cache.nextTurn(2);
    expect(kept(cache, 'ac')).toBe('');
  });

  it('does not let evicted values reach the old generation', () => {
    const cache = new BoundedCache<readonly number[]>(4);
    const before = heapUsed();
    for (let n = 0; n < 2_000; n++) {
      cache.set(
        String(n),
        Array.from({ length: 1_000 }, () => n),
        1,
      );
      if (n % 10 === 9) collectYoung();
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
  });
});
