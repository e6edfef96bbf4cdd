import Table from 'cli-table3';
import { us, type Comparison } from './area.ts';
import { median, ratioTo, spread } from './figures.ts';

/** What one run of the benchmarks found; `--json` prints it. */
export interface Report {
  readonly date: string;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly measured: readonly MeasuredArea[];
}

export interface MeasuredArea {
  readonly area: string;
  readonly seconds: number;
  /** Load averages (1, 5, 15 minutes) before and after. */
  readonly load: readonly [readonly number[], readonly number[]];
  readonly comparisons: readonly Comparison[];
}

const number = (figure: number): string =>
  figure.toLocaleString('en-US', Math.abs(figure) >= 1_000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });

/** A comparison as a terminal shows it. */
export function comparisonTable(comparison: Comparison): string {
  const { what, unit, note, base = us } = comparison;
  const table = new Table({ head: [what, unit, 'spread', `${base} is`, ''], style: { head: [], border: [] } });
  for (const row of comparisonRows(comparison)) table.push([...row]);
  return note === undefined ? table.toString() : `${table.toString()}\n${note}`;
}

/** A comparison's rows, as texts: who, the median, its spread, how many times better the base is, and what else was seen. */
export function comparisonRows(comparison: Comparison): readonly (readonly string[])[] {
  const { contestants, base = us } = comparison;
  return contestants.map(({ name, figures, seen = {} }) => {
    const others = Object.entries(seen)
      .map(([what, value]) => `${what} ${typeof value === 'number' ? number(value) : value}`)
      .join(', ');
    if (figures.length === 0) return [name, '–', '', '', others];
    const ratio = ratioTo(comparison, name);
    const times = name === base || Number.isNaN(ratio) ? '' : `${number(ratio)} ×`;
    return [name, number(median(figures)), figures.length > 1 ? `${Math.round(100 * spread(figures))} %` : '', times, others];
  });
}
