import { describe, expect, it } from 'vitest';
import { us, type Comparison } from '../../../bench/area.ts';
import { median, ratioTo, spread } from '../../../bench/figures.ts';
import { inTurns } from '../../../bench/rounds.ts';

const comparison = (better: Comparison['better']): Comparison => ({
  what: 'work',
  unit: 'events/s',
  better,
  contestants: [
    { name: us, figures: [100, 50, 90] },
    { name: 'peer', figures: [50, 20, 90] },
    { name: 'missing', figures: [] },
  ],
});

describe('figures of a benchmark', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[], Number.NaN],
  ])('%j has the median %d', (figures, expected) => {
    expect(median(figures)).toBe(expected);
  });

  it('spread from the lowest to the highest', () => {
    expect(spread([90, 100, 120])).toBe(0.3);
  });

  it('are compared round by round, the better one first', () => {
    expect(ratioTo(comparison('higher'), 'peer')).toBe(2);
    expect(ratioTo(comparison('lower'), 'peer')).toBe(0.5);
    expect(ratioTo(comparison('higher'), 'missing')).toBeNaN();
    expect(ratioTo({ ...comparison('higher'), base: 'peer' }, us)).toBe(0.5);
  });

  it('come in turns, each round from another contestant on; who is missing is left out, and says why', async () => {
    const order: string[] = [];
    const runner = (name: string) => ({ name, run: async (round: number) => (order.push(`${name}${round}`), round) });
    const contestants = await inTurns([runner('a'), { ...runner('b'), missing: 'not installed' }, runner('c')], 2, () => undefined);
    expect(order).toEqual(['a0', 'c0', 'c1', 'a1']);
    expect(contestants).toEqual([
      { name: 'a', figures: [0, 1], seen: {} },
      { name: 'b', figures: [], seen: { missing: 'not installed' } },
      { name: 'c', figures: [0, 1], seen: {} },
    ]);
  });
});
