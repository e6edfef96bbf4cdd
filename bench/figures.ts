import { us, type Comparison } from './area.ts';

/** The figure in the middle; of an even number, the mean of the two. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return (lower + upper) / 2;
}

/** From the lowest to the highest, as a share of the median. */
export function spread(figures: readonly number[]): number {
  return (Math.max(...figures) - Math.min(...figures)) / median(figures);
}

/** How many times better the base is than another: the median of the rounds' own ratios, so that what slows a whole round down cancels out. */
export function ratioTo({ contestants, base = us, better }: Comparison, other: string): number {
  const figuresOf = (name: string) => contestants.find((contestant) => contestant.name === name)?.figures ?? [];
  const ours = figuresOf(base);
  const ratios = figuresOf(other).flatMap((theirs, round) => {
    const own = ours[round];
    return own === undefined ? [] : better === 'higher' ? own / theirs : theirs / own;
  });
  return median(ratios);
}
