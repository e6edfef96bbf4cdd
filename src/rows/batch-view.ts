import { assert } from '../kit/assert.ts';
import type { Json, JsonObject } from '../kit/json.ts';

/** Rows in order whose columns are looked up when they are asked for. */
export interface View {
  readonly count: number;
  /** The values of a column, one a row. */
  column(name: string): Promise<readonly Json[]>;
}

/** Returns rows of a view as objects with these columns, in this order. */
export async function rowsOf(view: View, columns: readonly string[], from = 0, to = view.count): Promise<readonly JsonObject[]> {
  const values = await columnsOf(view, columns);
  const rows: JsonObject[] = [];
  const rowAt = rowMaker(columns);
  for (let row = from; row < to; row++) rows.push(rowAt(values, row));
  return rows;
}

/** Returns the values of these columns of a view, one per row each. */
export const columnsOf = (view: View, columns: readonly string[]): Promise<readonly (readonly Json[])[]> =>
  Promise.all(columns.map((name) => view.column(name)));

/** Makes one row of those whose values are given column by column. */
export type RowMaker = (values: readonly (readonly Json[])[], row: number) => JsonObject;

/**
 * What makes rows of these columns: compiled, where that is not forbidden (`--disallow-code-generation-from-strings`), since a step looks at each of a
 * million. Three columns take 40 ns then; key by key they take 180. Made once for a list of columns. No column is called `__proto__`.
 */
export function rowMaker(columns: readonly string[]): RowMaker {
  const known = rowMakers.get(columns);
  if (known) return known;
  const made = compiled(columns);
  rowMakers.set(columns, made);
  return made;
}

const rowMakers = new WeakMap<readonly string[], RowMaker>();

function compiled(columns: readonly string[]): RowMaker {
  const members = columns.map((name, index) => `${JSON.stringify(name)}: values[${index}][row]`);
  try {
    // oxlint-disable-next-line no-implied-eval -- What is generated is code: names as JSON, in a literal.
    return new Function('values', 'row', `return Object.freeze({ ${members.join(', ')} })`) as RowMaker;
  } catch (error) {
    if (error instanceof EvalError) return keyByKey(columns);
    throw error;
  }
}

const keyByKey =
  (columns: readonly string[]): RowMaker =>
  (values, row) =>
    Object.freeze(Object.fromEntries(columns.map((name, index) => [name, values[index]?.[row] as Json])));

/** Returns a view that is created when one of its columns is first used. */
export function lazyView(count: number, create: () => Promise<View>): View {
  const view = memoizeAsync(create);
  return { count, column: async (name) => (await view()).column(name) };
}

/** Returns a function that calls `create` once and shares its result. After a failure, the next call tries again. */
export function memoizeAsync<Value>(create: () => Promise<Value>): () => Promise<Value> {
  let known: Promise<Value> | undefined;
  return () => {
    if (known) return known;
    const value = create();
    known = value;
    value.catch(() => (known = undefined));
    return value;
  };
}

/** Rows of a view from `from` up to, not including, `to`. */
export interface ViewPart {
  readonly view: View;
  readonly from: number;
  readonly to: number;
}

/** Parts whose columns are read concurrently. Each may hold a stored chunk of any size until it is read. */
const togetherMax = 4;

/** Returns a view of parts, one after the other. */
export function concatViews(parts: readonly ViewPart[]): View {
  const [first] = parts;
  if (parts.length === 1 && first && first.from === 0 && first.to === first.view.count) return first.view;
  return {
    count: parts.reduce((sum, { from, to }) => sum + to - from, 0),
    column: async (name) => {
      const values: (readonly Json[])[] = [];
      for (let next = 0; next < parts.length; next += togetherMax) {
        const slice = parts.slice(next, next + togetherMax);
        values.push(...(await Promise.all(slice.map(async ({ view, from, to }) => (await view.column(name)).slice(from, to)))));
      }
      return values.flat(1);
    },
  };
}

/** Returns a view that gets each column from `find` once, or again after a failure, and passes its values to `onFound`. */
export function columnLookup(
  count: number,
  find: (column: string) => Promise<readonly Json[]>,
  onFound: (values: readonly Json[]) => void = () => undefined,
): View {
  const found = new Map<string, Promise<readonly Json[]>>();
  return {
    count,
    column: (name) => {
      const known = found.get(name);
      if (known) return known;
      const finding = find(name);
      found.set(name, finding);
      finding.then(onFound, () => found.delete(name));
      return finding;
    },
  };
}

/** Bytes that values take in memory, about. */
export function bytesOf(value: Json | readonly Json[]): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 16;
  for (const member of Array.isArray(value) ? value : Object.values(value)) bytes += 8 + bytesOf(member as Json);
  return bytes;
}

/** Values at these row numbers; null: at so many from `first` on. */
export function valuesAt(values: readonly Json[], rows: readonly number[] | null, first: number, count: number): readonly Json[] {
  if (rows !== null) return rows.map((row) => values[row] as Json);
  assert(values.length >= first + count, 'a batch has no more rows than its input, where it does not say which');
  return first === 0 && values.length === count ? values : values.slice(first, first + count);
}
