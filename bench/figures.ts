import { ownName, type Comparison } from './area.ts';

/** Returns the median: of an even number of figures, the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return (lower + upper) / 2;
}

/** Returns the distance from the lowest to the highest figure, as a share of the median. */
export function spread(figures: readonly number[]): number {
  return (Math.max(...figures) - Math.min(...figures)) / median(figures);
}

/** Returns how many times better the base is than another contestant. This is the median of the ratios of each round, so a slow round cancels out. */
export function ratioTo({ contestants, base = ownName, better }: Comparison, other: string): number {
  const figuresOf = (name: string) => contestants.find((contestant) => contestant.name === name)?.figures ?? [];
  const ours = figuresOf(base);
  const ratios = figuresOf(other).flatMap((theirs, round) => {
    const own = ours[round];
    return own === undefined ? [] : better === 'higher' ? own / theirs : theirs / own;
  });
  return median(ratios);
}
