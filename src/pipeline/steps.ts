import { isErrorLike } from '../kit/describe-thrown.ts';
import type { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import type { Awaitable, Columns, Renamed, Rows } from './columns.ts';
import type { Context, ReadContext } from './context.ts';
import { findCallSite, refuse } from './refuse.ts';

/** Options of every step. */
export interface StepOptions {
  /** Rows in a batch. For a source: items read per batch (default 100). A row-wise step without it keeps the batches of its input. */
  readonly batchSize?: number | undefined;
  /** Maximum number of calls in flight, across batches. Default 10. It has no effect on functions that return synchronously. */
  readonly concurrency?: number | undefined;
  /** Maximum duration of one call. Default ten minutes. */
  readonly timeoutMs?: number | undefined;
  /** Total number of attempts at a row (default 3), and the delay before the second one (default 1,000 ms), which doubles each time. */
  readonly retry?: { readonly attempts?: number | undefined; readonly backoffMs?: number | undefined } | undefined;
  /** What happens when a row fails for good: the row is rejected (default), or the step fails. */
  readonly onError?: 'reject' | 'fail' | undefined;
  /** Part of the step's signature. Change it if the step should count as changed although its code has not. */
  readonly version?: string | number | undefined;
  /** Values that the function closes over, as JSON, for the signature: `{ perTopic }`. */
  readonly captures?: Readonly<Record<string, unknown>> | undefined;
}

/** Members of every step. */
export interface StepMembers<Kind extends string> extends StepOptions {
  readonly kind?: Kind | undefined;
  readonly id?: string | undefined;
  readonly settings?: unknown;
  readonly input?: z.ZodObject | undefined;
  /** Columns read in addition to those of `input`, each with its reader for the message if it is missing: `{ topic: 'the template "{{ topic }}"' }`. */
  readonly reads?: Readonly<Record<string, string>> | undefined;
}

/** Adds columns to one row at a time. */
export interface MapStep<in Row, S extends Columns> extends StepMembers<'map'> {
  readonly output: S;
  readonly run: (row: Row, context: Context) => Awaitable<z.input<S>>;
}

/** Adds columns to a batch of rows at a time. `run` returns one result per row, in order. An `Error` in a row's place rejects that row. */
export interface MapBatchStep<in Row, S extends Columns> extends StepMembers<'mapBatch'> {
  readonly output: S;
  readonly run: (rows: readonly Row[], context: Context) => Awaitable<readonly (z.input<S> | Error)[]>;
}

/** Makes any number of rows from each row. They keep its columns and add these. */
export interface FlatMapStep<in Row, S extends Columns> extends StepMembers<'flatMap'> {
  readonly output: S;
  readonly run: (row: Row, context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Makes new rows from every `batchSize` rows, in order. */
export interface BatchStep<in Row, S extends Columns> extends StepMembers<'batch'> {
  readonly output: S;
  readonly run: (rows: readonly Row[], context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Makes new rows from all rows. They are read as `run` iterates them, so they need not fit into memory. */
export interface GlobalStep<in Row, S extends Columns> extends StepMembers<'global'> {
  readonly output: S;
  readonly run: (rows: AsyncIterable<Row>, context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Sends each row to one of several branches. */
export interface RouteStep<in Row, B extends string> extends StepMembers<'route'> {
  readonly branches: readonly B[];
  readonly to: (row: Row, context: Context) => Awaitable<NoInfer<B>>;
}

/** Keeps the rows for which `keep` returns true. */
export interface FilterStep<in Row> extends StepMembers<'filter'> {
  readonly keep: (row: Row, context: Context) => Awaitable<boolean>;
}

/** Members of every source. */
export interface SourceMembers<S extends Columns> extends StepMembers<'source'> {
  readonly output: S;
  /** Total number of items, for progress. */
  readonly count?: number | (() => Awaitable<number>) | undefined;
  /** The origin of the rows (a file's path, size and SHA-256). It is recorded when the source starts, and a resume with another origin is refused. */
  readonly origin?: (() => Awaitable<JsonObject>) | undefined;
  /**
   * The column that identifies a row: a text or a number, unique in each row. `key` and `seed` of functions are then derived from it instead of the row's
   * number, so they stay the same when rows are inserted above. A row with the value of an earlier row is rejected with code `duplicate-key`.
   */
  readonly key?: (keyof z.output<S> & string) | undefined;
}

/**
 * A source of rows: either `rows`, of which distilog skips those it has read, or `read`, which begins at item `offset`. Both must give the same rows in the
 * same order every time. An `Error` in a row's place rejects that row, with the error's `code` if it has one.
 */
export type SourceStep<S extends Columns> =
  | (SourceMembers<S> & {
      readonly rows: Rows<z.input<S> | Error> | (() => Awaitable<Rows<z.input<S> | Error>>);
      readonly read?: undefined;
    })
  | (SourceMembers<S> & { readonly read: (context: ReadContext) => Awaitable<Rows<z.input<S> | Error>>; readonly rows?: undefined });

/** A step for use in many pipelines, with an id, a version and the columns that it reads. */
export type NamedStep<S, I> = S & { readonly id: string; readonly version: string | number; readonly input: I };

/** Declares steps for use in many pipelines, with an id, a version and the columns that they read. */
export const step = {
  map: <I extends z.ZodObject, S extends Columns>(it: NamedStep<MapStep<z.output<I>, S>, I>): MapStep<z.output<I>, S> => ({
    ...it,
    kind: 'map',
  }),
  mapBatch: <I extends z.ZodObject, S extends Columns>(it: NamedStep<MapBatchStep<z.output<I>, S>, I>): MapBatchStep<z.output<I>, S> => ({
    ...it,
    kind: 'mapBatch',
  }),
  flatMap: <I extends z.ZodObject, S extends Columns>(it: NamedStep<FlatMapStep<z.output<I>, S>, I>): FlatMapStep<z.output<I>, S> => ({
    ...it,
    kind: 'flatMap',
  }),
  batch: <I extends z.ZodObject, S extends Columns>(it: NamedStep<BatchStep<z.output<I>, S>, I>): BatchStep<z.output<I>, S> => ({
    ...it,
    kind: 'batch',
  }),
  global: <I extends z.ZodObject, S extends Columns>(it: NamedStep<GlobalStep<z.output<I>, S>, I>): GlobalStep<z.output<I>, S> => ({
    ...it,
    kind: 'global',
  }),
  filter: <I extends z.ZodObject>(it: NamedStep<FilterStep<z.output<I>>, I>): FilterStep<z.output<I>> => ({ ...it, kind: 'filter' }),
};

/** A step's columns under other names. */
export type RenamedColumns<S, N> = S extends z.ZodObject<infer Shape, infer Config> ? z.ZodObject<Renamed<Shape, N>, Config> : never;

/** New names for the columns of a step, by their names in the step. */
export type ColumnNames<Row, S extends Columns> = { readonly [K in keyof Row | keyof z.output<S>]?: string };

/** Returns a library step whose columns have other names in this pipeline: `renamed(textGeneration({ model }), { instruction: 'question' })`. */
export function renamed<Row, S extends Columns, const N extends ColumnNames<Row, S>>(
  it: MapStep<Row, S>,
  names: N,
): MapStep<Renamed<Row, N>, RenamedColumns<S, N>>;
export function renamed<Row, S extends Columns, const N extends ColumnNames<Row, S>>(
  it: MapBatchStep<Row, S>,
  names: N,
): MapBatchStep<Renamed<Row, N>, RenamedColumns<S, N>>;
export function renamed<Row, S extends Columns, const N extends ColumnNames<Row, S>>(
  it: FlatMapStep<Row, S>,
  names: N,
): FlatMapStep<Renamed<Row, N>, RenamedColumns<S, N>>;
export function renamed(it: RenamableStep, names: object): never {
  return renameStepColumns(it, names as Readonly<Record<string, string>>) as never;
}

function renameStepColumns(it: RenamableStep, names: Readonly<Record<string, string>>): RenamableStep {
  const newNames = new Map(Object.entries(names));
  const libraryNames = new Map(Array.from(newNames, ([from, to]) => [to, from]));
  const duplicate = findDuplicate(Object.keys(it.output.shape).map((name) => newNames.get(name) ?? name));
  if (duplicate !== undefined)
    refuse(`two columns of a renamed step are called ${duplicate}. Give one another name.`, { site: findCallSite(renamed) });
  // The library step must not see a column of the pipeline that has the library's name for a different column.
  const toLibrary = (row: object): object =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([name]) => libraryNames.has(name) || !newNames.has(name))
        .map(([name, value]) => [libraryNames.get(name) ?? name, value]),
    );
  const fromLibrary = (row: object): object =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [newNames.get(name) ?? name, value]));
  const renameOutput = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !isErrorLike(value) ? fromLibrary(value) : value;
  const renameResult = (value: unknown): unknown =>
    it.kind === 'map' || it.kind === undefined ? renameOutput(value) : mapItems(value, renameOutput);
  const run = it.run as (input: unknown, context: Context) => unknown;
  return {
    ...it,
    settings: { of: it.settings ?? null, names },
    output: it.output.clone({ ...it.output.def, shape: fromLibrary(it.output.shape) as typeof it.output.shape }),
    input: it.input?.clone({ ...it.input.def, shape: fromLibrary(it.input.shape) as typeof it.input.shape }),
    reads: it.reads && fromLibrary(it.reads),
    run: (input: object, context: Context) => {
      const result = run(Array.isArray(input) ? input.map(toLibrary) : toLibrary(input), context);
      return result instanceof Promise ? result.then(renameResult) : renameResult(result);
    },
    code: it.run.toString(),
  } as unknown as RenamableStep;
}

type RenamableStep = MapStep<never, Columns> | MapBatchStep<never, Columns> | FlatMapStep<never, Columns>;

/** Maps the items of an iterable. Returns any other value unchanged. */
function mapItems(value: unknown, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null) return value;
  if (Symbol.asyncIterator in value) return mapAsync(value as AsyncIterable<unknown>, change);
  return Symbol.iterator in value ? mapSync(value as Iterable<unknown>, change) : value;
}

function* mapSync(values: Iterable<unknown>, change: (member: unknown) => unknown): Generator<unknown> {
  for (const value of values) yield change(value);
}

async function* mapAsync(values: AsyncIterable<unknown>, change: (member: unknown) => unknown): AsyncGenerator<unknown> {
  for await (const value of values) yield change(value);
}

const findDuplicate = (names: readonly string[]): string | undefined => names.find((name, index) => names.indexOf(name) !== index);
