import Table from 'cli-table3';
import { ownName, type Comparison } from './area.ts';
import { median, ratioTo, spread } from './figures.ts';

/** Result of one run of the benchmarks, as `--json` prints it. */
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

/** Returns a comparison as a table for a terminal. */
export function comparisonTable(comparison: Comparison): string {
  const { title, unit, note, base = ownName } = comparison;
  const table = new Table({ head: [title, unit, 'spread', `advantage of ${base}`, ''], style: { head: [], border: [] } });
  for (const row of comparisonRows(comparison)) table.push([...row]);
  return note === undefined ? table.toString() : `${table.toString()}\n${note}`;
}

/** Returns the rows of a comparison as texts: name, median, spread, how many times better the base is, further observations. */
export function comparisonRows(comparison: Comparison): readonly (readonly string[])[] {
  const { contestants, base = ownName } = comparison;
  return contestants.map(({ name, figures, observations = {} }) => {
    const others = Object.entries(observations)
      .map(([label, value]) => `${label} ${typeof value === 'number' ? number(value) : value}`)
      .join(', ');
    if (figures.length === 0) return [name, '–', '', '', others];
    const ratio = ratioTo(comparison, name);
    const times = name === base || Number.isNaN(ratio) ? '' : `${number(ratio)} ×`;
    return [name, number(median(figures)), figures.length > 1 ? `${Math.round(100 * spread(figures))} %` : '', times, others];
  });
}
