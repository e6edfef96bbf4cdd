import type { Command } from 'commander';
import { findStore, migrate, requireMigrated, select, whenUp, type QueryResult } from '../../postgres/index.ts';
import { storeOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { parseCount } from '../count-option.ts';
import { formatCount } from '../numbers.ts';
import { fitWidth, shorten, renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { escapeLine } from '../visible.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog sql`. */
export function registerSql(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'sql <statement>', 'Run one read-only SQL statement on the store')
    .option('--rows <n>', 'Print at most n rows (default: 1000)')
    .addHelpText('after', help)
    .action((statement, options) => sql(context, statement, options));
}

const help = `
The views and tables of schema distilog need no prefix. The view history is the
log with its data as jsonb:
  distilog sql "select type, count(*) from history group by type order by 2 desc"
The statement runs in a read-only transaction and may take 30 seconds. The
login of a superuser is refused.`;

interface SqlOptions extends CommonOptions {
  readonly rows?: string | undefined;
}

const rowsDefault = 1_000;
const timeoutMs = 30_000;

/** `distilog sql`: runs one read-only statement and prints its rows as a table or as lines of JSON. */
async function sql(context: CommandContext, statement: string, options: SqlOptions): Promise<void> {
  const rowsMax = parseCount('--rows', options.rows) ?? rowsDefault;
  const place = await findStore(storeOptions(options));
  try {
    await whenUp<unknown>(place, () => (place.isEmbedded ? migrate(place.connectOwner) : requireMigrated(place.connect)));
    // Never retried: a statement that crashed the server would crash it again.
    const found = await select(place.connect, statement, { rowsMax, timeoutMs });
    const { terminal } = context;
    if (options.json) for (const row of found.rows) terminal.printJson(toObject(found.columns, row));
    else draw(found, terminal);
    if (found.isCut)
      terminal.note(`The statement returned more than these ${formatCount(rowsMax)} rows. To print more, add --rows ${rowsMax * 10}.`);
  } finally {
    place.close();
  }
}

/** Turns a row into an object. A column gets a number if an earlier one has the same name. */
function toObject(columns: readonly string[], row: QueryResult['rows'][number]): Readonly<Record<string, unknown>> {
  const object = new Map<string, unknown>();
  for (const [index, column] of columns.entries()) {
    let name = column;
    for (let number = 2; object.has(name); number++) name = `${column}_${number}`;
    object.set(name, row[index]);
  }
  return Object.fromEntries(object);
}

/** Prints rows as a table and cuts the widest columns to fit the terminal. Prints a single column uncut, because it may be a plan or a document. */
function draw({ columns, rows }: QueryResult, { print, printText, width, paint, isInteractive }: Terminal): void {
  const titles = (name: string) => paint('dim', name);
  if (rows.length === 0) return print([columns.map(titles).join('  '), paint('dim', 'no rows')]);
  if (columns.length === 1) return printText([titles(columns[0] ?? ''), ...rows.map(([value]) => textOf(value))].join('\n'));
  const cells = rows.map((row) => row.map((value) => escapeLine(textOf(value))));
  const widths = columns.map((name, index) => Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)));
  const cellMax = isInteractive ? fitWidth(widths, width, cellMin) : cellMaxElsewhere;
  const isNumber = columns.map((_, index) => rows.every((row) => row[index] === null || typeof row[index] === 'number'));
  print(
    renderTable(
      columns.map((name, index) => ({ title: shorten(name, cellMax), align: isNumber[index] ? 'right' : 'left' })),
      cells.map((row) => row.map((text) => shorten(text, cellMax))),
      titles,
    ),
  );
}

/** Longest cell if the output is not a terminal. */
const cellMaxElsewhere = 200;
const cellMin = 8;

const textOf = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
