import { findStore, migrate, requireMigrated, select, type Selected } from '#postgres';
import type { CommandContext, CommonOptions } from '../context.ts';
import { countOption } from '../count-option.ts';
import { formatCount } from '../numbers.ts';
import { shortened, table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface SqlOptions extends CommonOptions {
  readonly rows?: string | undefined;
}

const rowsDefault = 1_000;
const timeoutMs = 30_000;

/** `distilog sql`: one statement that only reads, as a table or as lines of JSON. */
export async function sql(context: CommandContext, statement: string, options: SqlOptions): Promise<void> {
  const rowsMax = countOption('--rows', options.rows) ?? rowsDefault;
  const place = await findStore({ store: options.store, folder: process.cwd() });
  try {
    if (place.isEmbedded) await migrate(place.connectOwner);
    else await requireMigrated(place.connect);
    const found = await select(place.connect, statement, { rowsMax, timeoutMs });
    const { terminal } = context;
    if (options.json) for (const row of found.rows) terminal.print(JSON.stringify(named(found.columns, row)));
    else terminal.print(drawn(found, terminal));
    if (found.isCut) terminal.note(`There are more than these ${formatCount(rowsMax)} rows: --rows ${rowsMax * 10} shows more.`);
  } finally {
    place.close();
  }
}

/** A row as an object; a column whose name came before gets a number. */
function named(columns: readonly string[], row: Selected['rows'][number]): Readonly<Record<string, unknown>> {
  const object = new Map<string, unknown>();
  for (const [index, column] of columns.entries()) {
    let name = column;
    for (let number = 2; object.has(name); number++) name = `${column}_${number}`;
    object.set(name, row[index]);
  }
  return Object.fromEntries(object);
}

/** Longest cell where there are several columns: the widest ones give way until a row fits the terminal. */
function drawn({ columns, rows }: Selected, { width, paint, isInteractive }: Terminal): string {
  const count = `${formatCount(rows.length)} row${rows.length === 1 ? '' : 's'}`;
  if (columns.length === 0 || rows.length === 0) return paint('dim', count);
  const cells = rows.map((row) => row.map(textOf));
  const widths = columns.map((name, index) => Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)));
  const cellMax = isInteractive ? fittingWidth(widths, width) : cellMaxElsewhere;
  const isNumber = columns.map((_, index) => rows.every((row) => row[index] === null || typeof row[index] === 'number'));
  return table(
    columns.map((name, index) => ({ title: shortened(name, cellMax), align: isNumber[index] ? 'right' : 'left' })),
    cells.map((row) => row.map((text) => shortened(text, cellMax))),
    (title) => paint('dim', title),
  );
}

const cellMaxElsewhere = 200;
const cellMin = 8;

/** The greatest width that no column may pass for all of them to fit, two spaces between. */
function fittingWidth(widths: readonly number[], width: number): number {
  let most = Math.max(...widths);
  while (most > cellMin && widths.reduce((sum, each) => sum + Math.min(each, most) + 2, -2) > width) most--;
  return most;
}

const textOf = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
