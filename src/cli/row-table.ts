import type { JsonObject } from '#kit/json';
import { shortened, table, type Column } from './table.ts';
import type { Terminal } from './terminal.ts';

/** A row with its name. */
export interface LabelledRow {
  readonly label: string;
  readonly values: JsonObject;
}

const cellMin = 12;

/** Rows as a table that fits the terminal: as many columns as there is room for, long values cut. Labels stand before them, where there are any. */
export function rowTable(rows: readonly LabelledRow[], columns: readonly string[], terminal: Pick<Terminal, 'width' | 'paint'>): string {
  const labelWidth = Math.max(0, ...rows.map(({ label }) => label.length));
  const { shown, cellMax, note } = fitting(columns, terminal, labelWidth);
  const titles = shown.map((name): Column => ({ title: shortened(name, cellMax) }));
  const paintTitle = (title: string) => terminal.paint('dim', title);
  const drawn = table(
    labelWidth > 0 ? [{ title: 'row' }, ...titles] : titles,
    rows.map(({ label, values }) => [...(labelWidth > 0 ? [terminal.paint('dim', label)] : []), ...cells(values, shown, cellMax)]),
    paintTitle,
  );
  return note === '' ? drawn : `${drawn}\n${note}`;
}

/** The same for rows that come one after the other: columns have their widths beforehand. The first table has titles. */
export function growingRowTable(
  columns: readonly string[],
  terminal: Pick<Terminal, 'width' | 'paint'>,
  labelWidth: number,
): (rows: readonly LabelledRow[]) => string {
  const { shown, cellMax, note } = fitting(columns, terminal, labelWidth);
  const sized = [
    { title: 'row', width: labelWidth + 2 },
    ...shown.map((name) => ({ title: shortened(name, cellMax), width: cellMax + 2 })),
  ];
  let isFirst = true;
  return (rows) => {
    const lines = table(
      sized,
      rows.map(({ label, values }) => [terminal.paint('dim', label), ...cells(values, shown, cellMax)]),
      (title) => terminal.paint('dim', title),
    ).split('\n');
    const [titles = '', ...rest] = lines;
    const head = isFirst ? [...(note === '' ? [] : [note]), titles] : [];
    isFirst = false;
    return [...head, ...rest].join('\n');
  };
}

interface Fitting {
  readonly shown: readonly string[];
  readonly cellMax: number;
  /** Which columns there is no room for. */
  readonly note: string;
}

function fitting(columns: readonly string[], { width, paint }: Pick<Terminal, 'width' | 'paint'>, labelWidth: number): Fitting {
  const room = width - (labelWidth > 0 ? labelWidth + 2 : 0);
  const shown = columns.slice(0, Math.max(1, Math.floor(room / (cellMin + 2))));
  const cellMax = Math.max(cellMin, Math.floor(room / Math.max(1, shown.length)) - 2);
  const hidden = columns.slice(shown.length);
  const more = `and ${hidden.length} more column${hidden.length === 1 ? '' : 's'}: `;
  return { shown, cellMax, note: hidden.length === 0 ? '' : paint('dim', `${more}${shortened(hidden.join(', '), width - more.length)}`) };
}

const cells = (values: JsonObject, columns: readonly string[], cellMax: number): readonly string[] =>
  columns.map((name) => shortened(textOf(values[name]), cellMax));

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
