import { columnsOf, isKeyColumn, type Column } from './column-schemas.ts';
import type { Columns, Rows } from './columns.ts';
import type { ReadContext } from './context.ts';
import { isOfKind, signed, writtenBy, type DraftStep, type Where } from './draft-step.ts';
import { optionsOf } from './options.ts';
import { refuse } from './refuse.ts';
import { rowCheck } from './row-check.ts';
import type { SourceStep, StepOptions } from './steps.ts';

/** Items that a source's batch reads where nobody says. */
const sourceRowsDefault = 100;

/** A source, checked. */
export function sourceStep(step: SourceStep<Columns>, beside: StepOptions | undefined, where: Where): DraftStep {
  if (typeof step !== 'object' || step === null) refuse('a source is an object with output, and rows or read.', where);
  const { rows, read, count } = step;
  if ((rows === undefined) === (read === undefined)) refuse('a source has either rows or read.', where);
  if (read !== undefined && typeof read !== 'function') refuse('read must be a function of where to begin: ({ offset }) => rows.', where);
  if (rows !== undefined && !isRows(rows)) refuse('rows must be a list, an iterable or a function that returns one.', where);
  if (isOneShot(rows))
    refuse('rows can be read once only, and are read again after a failure: give what makes them, rows: () => ….', where);
  isOfKind('source', step, where);
  const options = optionsOf('source', step, beside, where);
  const columns = columnsOf(step.output, where);
  if (count !== undefined && typeof count !== 'function' && !(Number.isSafeInteger(count) && count >= 0))
    refuse(`count must be a whole number or a function, and is ${String(count)}.`, where);
  if (step.origin !== undefined && typeof step.origin !== 'function') refuse('origin must be a function.', where);
  return {
    operator: 'source',
    name: where.step,
    site: where.site,
    upstream: [],
    cut: { kind: 'source', rows: options.batchSize ?? sourceRowsDefault },
    options,
    columns,
    inputColumns: [],
    adds: columns.map(({ name }) => name),
    from: [],
    fork: null,
    forkCut: '',
    writers: writtenBy(where.step, columns),
    open: read ? (context: ReadContext) => read(context) : (context: ReadContext) => skipping(rows as RowsGiven, context.offset),
    count: count === undefined ? (Array.isArray(rows) ? () => rows.length : null) : typeof count === 'function' ? count : () => count,
    origin: step.origin ?? null,
    key: keyOf(step.key, columns, where),
    check: rowCheck(step.output),
    ...signed(step, beside, read ?? rows, where),
  };
}

/** The column that is declared as the key, checked. */
function keyOf(key: unknown, columns: readonly Column[], where: Where): string | null {
  if (key === undefined) return null;
  const column = columns.find(({ name }) => name === key);
  const names = columns.map(({ name }) => name).join(', ');
  if (!column) refuse(`key is the name of a column, one of ${names}, and is ${JSON.stringify(key)}.`, where);
  if (!isKeyColumn(column)) refuse(`column ${column.name} cannot be the key: a key is a text or a number, and never null.`, where);
  return column.name;
}

type RowsGiven = Rows<unknown> | (() => Rows<unknown> | Promise<Rows<unknown>>);

const isRows = (rows: unknown): boolean =>
  typeof rows === 'function' || (typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows));

/** Iterators and streams: once read they are used up. */
const isOneShot = (rows: unknown): boolean =>
  typeof rows === 'object' && rows !== null && ['next', 'pipe', 'getReader'].some((method) => method in rows);

/** Rows that are given as they are: what was read before is passed over. */
async function skipping(rows: RowsGiven, offset: number): Promise<Rows<unknown>> {
  const given = typeof rows === 'function' ? await rows() : rows;
  if (Array.isArray(given)) return offset === 0 ? given : given.slice(offset);
  return Symbol.asyncIterator in given ? skippedAsync(given, offset) : skipped(given, offset);
}

function* skipped(rows: Iterable<unknown>, offset: number): Generator<unknown> {
  let item = 0;
  for (const row of rows) if (item++ >= offset) yield row;
}

async function* skippedAsync(rows: AsyncIterable<unknown>, offset: number): AsyncGenerator<unknown> {
  let item = 0;
  for await (const row of rows) if (item++ >= offset) yield row;
}
