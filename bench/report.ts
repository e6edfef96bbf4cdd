import Table from 'cli-table3';
import { us, type Comparison } from './area.ts';
import { median, ratioTo, spread } from './figures.ts';

const number = (figure: number): string =>
  figure.toLocaleString('en-US', Math.abs(figure) >= 1_000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });

/** A comparison as a terminal shows it. */
export function comparisonTable(comparison: Comparison): string {
  const { what, unit, note } = comparison;
  const table = new Table({ head: [what, unit, 'spread', `${us} is`, ''], style: { head: [], border: [] } });
  for (const row of comparisonRows(comparison)) table.push([...row]);
  return note === undefined ? table.toString() : `${table.toString()}\n${note}`;
}

/** A comparison's rows, as texts: who, the median, its spread, how many times better we are, and what else was seen. */
export function comparisonRows(comparison: Comparison): readonly (readonly string[])[] {
  const isAmongThem = comparison.contestants.some(({ name }) => name === us);
  return comparison.contestants.map(({ name, figures, seen = {} }) => {
    const others = Object.entries(seen)
      .map(([what, value]) => `${what} ${typeof value === 'number' ? number(value) : value}`)
      .join(', ');
    if (figures.length === 0) return [name, '–', '', '', others];
    const ratio = name === us || !isAmongThem ? '' : `${number(ratioTo(comparison, name))} ×`;
    return [name, number(median(figures)), figures.length > 1 ? `${Math.round(100 * spread(figures))} %` : '', ratio, others];
  });
}
