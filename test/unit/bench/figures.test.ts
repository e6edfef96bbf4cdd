import { describe, expect, it } from 'vitest';
import { ownName, type Comparison } from '../../../bench/area.ts';
import { median, ratioTo, spread } from '../../../bench/figures.ts';
import { runInTurns } from '../../../bench/rounds.ts';

const comparison = (better: Comparison['better']): Comparison => ({
  title: 'work',
  unit: 'events/s',
  better,
  contestants: [
    { name: ownName, figures: [100, 50, 90] },
    { name: 'peer', figures: [50, 20, 90] },
    { name: 'missing', figures: [] },
  ],
});

describe('a benchmark', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[], Number.NaN],
  ])('computes the median of %j: %d', (figures, expected) => {
    expect(median(figures)).toBe(expected);
  });

  it('computes the spread from the lowest to the highest figure', () => {
    expect(spread([90, 100, 120])).toBe(0.3);
  });

  it('compares figures round by round', () => {
    expect(ratioTo(comparison('higher'), 'peer')).toBe(2);
    expect(ratioTo(comparison('lower'), 'peer')).toBe(0.5);
    expect(ratioTo(comparison('higher'), 'missing')).toBeNaN();
    expect(ratioTo({ ...comparison('higher'), base: 'peer' }, ownName)).toBe(0.5);
  });

  it('runs contestants in turns, starts each round with another one, and notes why one is missing', async () => {
    const order: string[] = [];
    const runner = (name: string) => ({ name, run: async (round: number) => (order.push(`${name}${round}`), round) });
    const contestants = await runInTurns([runner('a'), { ...runner('b'), missing: 'not installed' }, runner('c')], 2, () => undefined);
    expect(order).toEqual(['a0', 'c0', 'c1', 'a1']);
    expect(contestants).toEqual([
      { name: 'a', figures: [0, 1], observations: {} },
      { name: 'b', figures: [], observations: { missing: 'not installed' } },
      { name: 'c', figures: [0, 1], observations: {} },
    ]);
  });
});
