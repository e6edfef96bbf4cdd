import { readColumns, isKeyColumn, type Column } from './column-schemas.ts';
import type { Columns, Rows } from './columns.ts';
import type { ReadContext } from './context.ts';
import { refuseOtherKind, collectSignatureInputs, listWriters, type DraftStep, type Location } from './draft-step.ts';
import { resolveOptions } from './options.ts';
import { refuse } from './refuse.ts';
import { rowCheck } from './row-check.ts';
import type { SourceStep, StepOptions } from './steps.ts';

/** Default number of items in a source's batch. */
const sourceRowsDefault = 100;

/** Checks a source and builds its step. */
export function sourceStep(step: SourceStep<Columns>, overrides: StepOptions | undefined, location: Location): DraftStep {
  if (typeof step !== 'object' || step === null) refuse('a source is an object with output, and rows or read.', location);
  const { rows, read, count } = step;
  if ((rows === undefined) === (read === undefined)) refuse('a source has either rows or read.', location);
  if (read !== undefined && typeof read !== 'function')
    refuse('read must be a function that takes an offset: ({ offset }) => rows.', location);
  if (rows !== undefined && !isRows(rows)) refuse('rows must be a list, an iterable or a function that returns one.', location);
  if (isOneShot(rows))
    refuse(
      'rows can be read only once, but they are read again after a failure. Give a function that makes them, rows: () => ….',
      location,
    );
  refuseOtherKind('source', step, location);
  const options = resolveOptions('source', step, overrides, location);
  const columns = readColumns(step.output, location);
  if (count !== undefined && typeof count !== 'function' && !(Number.isSafeInteger(count) && count >= 0))
    refuse(`count must be a whole number or a function, and is ${String(count)}.`, location);
  if (step.origin !== undefined && typeof step.origin !== 'function') refuse('origin must be a function.', location);
  return {
    operator: 'source',
    name: location.step,
    site: location.site,
    upstream: [],
    cut: { kind: 'source', rows: options.batchSize ?? sourceRowsDefault },
    options,
    columns,
    inputColumns: [],
    adds: columns.map(({ name }) => name),
    from: [],
    fork: null,
    forkCut: '',
    writers: listWriters(location.step, columns),
    open: read ? (context: ReadContext) => read(context) : (context: ReadContext) => openRows(rows as RowsInput, context.offset),
    count: count === undefined ? (Array.isArray(rows) ? () => rows.length : null) : typeof count === 'function' ? count : () => count,
    origin: step.origin ?? null,
    key: resolveKey(step.key, columns, location),
    check: rowCheck(step.output),
    ...collectSignatureInputs(step, overrides, read ?? rows, location),
  };
}

/** Returns the column that is declared as the key, or null. Refuses a column that cannot be one. */
function resolveKey(key: unknown, columns: readonly Column[], location: Location): string | null {
  if (key === undefined) return null;
  const column = columns.find(({ name }) => name === key);
  const names = columns.map(({ name }) => name).join(', ');
  if (!column) refuse(`key must be the name of a column, one of ${names}, and is ${JSON.stringify(key)}.`, location);
  if (!isKeyColumn(column)) refuse(`column ${column.name} cannot be the key: a key is a text or a number, and never null.`, location);
  return column.name;
}

type RowsInput = Rows<unknown> | (() => Rows<unknown> | Promise<Rows<unknown>>);

const isRows = (rows: unknown): boolean =>
  typeof rows === 'function' || (typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows));

/** Returns whether rows are an iterator or a stream, which can be read only once. */
const isOneShot = (rows: unknown): boolean =>
  typeof rows === 'object' && rows !== null && ['next', 'pipe', 'getReader'].some((method) => method in rows);

/** Opens rows that are given as a value or a function, and skips those that were read before. */
async function openRows(rows: RowsInput, offset: number): Promise<Rows<unknown>> {
  const opened = typeof rows === 'function' ? await rows() : rows;
  if (Array.isArray(opened)) return offset === 0 ? opened : opened.slice(offset);
  return Symbol.asyncIterator in opened ? skipItemsAsync(opened, offset) : skipItems(opened, offset);
}

function* skipItems(rows: Iterable<unknown>, offset: number): Generator<unknown> {
  let item = 0;
  for (const row of rows) if (item++ >= offset) yield row;
}

async function* skipItemsAsync(rows: AsyncIterable<unknown>, offset: number): AsyncGenerator<unknown> {
  let item = 0;
  for await (const row of rows) if (item++ >= offset) yield row;
}
