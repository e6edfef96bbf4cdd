import type { JsonObject } from '../kit/json.ts';
import { fitWidth, shorten, renderTable, type Column } from './table.ts';
import type { Terminal } from './terminal.ts';
import { escapeLine } from './visible.ts';

/** A row with its label. */
export interface LabelledRow {
  readonly label: string;
  readonly values: JsonObject;
}

type TableTerminal = Pick<Terminal, 'width' | 'paint'>;

/** Narrowest column. If columns would become narrower, some are left out instead. */
const cellMin = 12;
/** Characters of a value that are considered. */
const textMax = 1_000;

/** Renders rows as a table that fits the terminal: as many columns as fit, long values cut, labels first if there are any. */
export function renderRows(rows: readonly LabelledRow[], columns: readonly string[], place: TableTerminal): readonly string[] {
  const labelWidth = Math.max(0, ...rows.map(({ label }) => label.length));
  const { shown, cellMax, note } = fitColumns(rows, columns, place, labelWidth, 0);
  const titles = shown.map((name): Column => ({ title: shorten(name, cellMax) }));
  const drawn = renderTable(
    labelWidth > 0 ? [{ title: 'row' }, ...titles] : titles,
    rows.map(({ label, values }) => [...(labelWidth > 0 ? [place.paint('dim', label)] : []), ...cells(values, shown, cellMax)]),
    (title) => place.paint('dim', title),
  );
  return note === '' ? drawn : [...drawn, note];
}

/** Narrowest column of a growing table, because later values may be longer than the first. */
const growingMin = 8;

/** Returns a function that renders further rows of one table. The first rows determine the widths of the columns and get the titles. */
export function createGrowingTable(
  columns: readonly string[],
  place: TableTerminal,
  labelWidth: number,
): (rows: readonly LabelledRow[]) => readonly string[] {
  const paintTitle = (title: string) => place.paint('dim', title);
  let known: { readonly shown: readonly string[]; readonly widths: readonly number[] } | null = null;
  return (rows) => {
    const fit = known ? null : fitColumns(rows, columns, place, labelWidth, growingMin);
    if (fit) known = { shown: fit.shown, widths: computeGrowingWidths(fit, place.width - labelWidth - 2) };
    const { shown, widths } = known ?? { shown: [], widths: [] };
    const cut = (text: string, index: number) => shorten(text, widths[index] ?? 0);
    const sized = shown.map((name, index) => ({ title: cut(name, index), width: widths[index] }));
    const lines = rows.map(({ label, values }) => [
      place.paint('dim', label),
      ...shown.map((name, index) => cut(textOf(values[name]), index)),
    ]);
    const [titles = '', ...rest] = renderTable([{ title: 'row', width: labelWidth }, ...sized], lines, paintTitle);
    const head = fit ? [...(fit.note === '' ? [] : [fit.note]), titles] : [];
    return [...head, ...rest];
  };
}

/** Returns the width of each column: that of its known values, at least the minimum. The last column gets the remaining room. */
function computeGrowingWidths({ widths, cellMax }: FittedColumns, room: number): readonly number[] {
  const others = widths.slice(0, -1).map((width) => Math.min(cellMax, width));
  return [...others, Math.max(growingMin, room - others.reduce((sum, width) => sum + width + 2, 0))];
}

interface FittedColumns {
  readonly shown: readonly string[];
  /** Width of the known values of each column. */
  readonly widths: readonly number[];
  readonly cellMax: number;
  /** Names the columns that do not fit. */
  readonly note: string;
}

function fitColumns(
  rows: readonly LabelledRow[],
  columns: readonly string[],
  place: TableTerminal,
  labelWidth: number,
  narrowest: number,
): FittedColumns {
  const { width, paint } = place;
  const room = width - (labelWidth > 0 ? labelWidth + 2 : 0);
  const widths = columns.map((name) =>
    Math.max(narrowest, escapeLine(name).length, ...rows.map(({ values }) => textOf(values[name]).length)),
  );
  let count = 0;
  for (let totalWidth = 0; count < columns.length; count++) {
    totalWidth += Math.min(widths[count] ?? 0, cellMin) + 2;
    if (count > 0 && totalWidth - 2 > room) break;
  }
  const hidden = columns.slice(count);
  const more = `and ${hidden.length} more column${hidden.length === 1 ? '' : 's'}: `;
  return {
    shown: columns.slice(0, count),
    widths: widths.slice(0, count),
    cellMax: fitWidth(widths.slice(0, count), room, cellMin),
    note: hidden.length === 0 ? '' : paint('dim', `${more}${shorten(hidden.join(', '), width - more.length)}`),
  };
}

const cells = (values: JsonObject, columns: readonly string[], cellMax: number): readonly string[] =>
  columns.map((name) => shorten(textOf(values[name]), cellMax));

const textOf = (value: unknown): string =>
  escapeLine((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, textMax));
