import { isErrorLike } from '../kit/describe-thrown.ts';
import type { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import type { Awaitable, Columns, Renamed, Rows } from './columns.ts';
import type { Context, ReadContext } from './context.ts';
import { callSite, refuse } from './refuse.ts';

/** Options of every step. */
export interface StepOptions {
  /** Rows in a batch: of a source, items read (default 100). A row-wise step without it takes batches as they come from upstream. */
  readonly batchSize?: number | undefined;
  /** Calls of the step's function in flight, across batches. Default 10; it changes nothing for functions that return at once. */
  readonly concurrency?: number | undefined;
  /** How long one call may take. Default ten minutes. */
  readonly timeoutMs?: number | undefined;
  /** How often a row is tried in all (default 3), and the delay before the second try, which doubles each time (default 1,000 ms). */
  readonly retry?: { readonly attempts?: number | undefined; readonly backoffMs?: number | undefined } | undefined;
  /** What a row that cannot be had costs: that row (default), or the step. */
  readonly onError?: 'reject' | 'fail' | undefined;
  /** Part of the step's signature: change it when the step should count as changed though its code does not show it. */
  readonly version?: string | number | undefined;
  /** What the function closes over, for the signature: `{ perTopic }`. JSON. */
  readonly captures?: Readonly<Record<string, unknown>> | undefined;
}

/** Members of every step. */
export interface StepMembers<Kind extends string> extends StepOptions {
  readonly kind?: Kind | undefined;
  readonly id?: string | undefined;
  readonly settings?: unknown;
  readonly input?: z.ZodObject | undefined;
  /** Columns read beside those of `input`, each with what reads it, for the message where there is none: `{ topic: 'the template "{{ topic }}"' }`. */
  readonly reads?: Readonly<Record<string, string>> | undefined;
}

/** Adds columns, one row from one row. */
export interface MapStep<in Row, S extends Columns> extends StepMembers<'map'> {
  readonly output: S;
  readonly run: (row: Row, context: Context) => Awaitable<z.input<S>>;
}

/** Adds columns to rows that a function gets together, as many results as rows, in their order; an `Error` in a row's place rejects that row. */
export interface MapBatchStep<in Row, S extends Columns> extends StepMembers<'mapBatch'> {
  readonly output: S;
  readonly run: (rows: readonly Row[], context: Context) => Awaitable<readonly (z.input<S> | Error)[]>;
}

/** Makes any number of rows from each, with its columns and these. */
export interface FlatMapStep<in Row, S extends Columns> extends StepMembers<'flatMap'> {
  readonly output: S;
  readonly run: (row: Row, context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Makes new rows of those that come together: `batchSize` of them, in order. */
export interface BatchStep<in Row, S extends Columns> extends StepMembers<'batch'> {
  readonly output: S;
  readonly run: (rows: readonly Row[], context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Makes new rows of all there are. They are read as they are iterated, and need never be in memory together. */
export interface GlobalStep<in Row, S extends Columns> extends StepMembers<'global'> {
  readonly output: S;
  readonly run: (rows: AsyncIterable<Row>, context: Context) => Awaitable<Rows<z.input<S>>>;
}

/** Sends each row one of several ways. */
export interface RouteStep<in Row, B extends string> extends StepMembers<'route'> {
  readonly branches: readonly B[];
  readonly to: (row: Row, context: Context) => Awaitable<NoInfer<B>>;
}

/** Keeps the rows for which `keep` says true. */
export interface FilterStep<in Row> extends StepMembers<'filter'> {
  readonly keep: (row: Row, context: Context) => Awaitable<boolean>;
}

/** Members of every source. */
export interface SourceMembers<S extends Columns> extends StepMembers<'source'> {
  readonly output: S;
  /** How many items there are in all, for progress. */
  readonly count?: number | (() => Awaitable<number>) | undefined;
  /** What the rows come from (a file's path, size and SHA-256): recorded when the source starts, and a resume that finds another is refused. */
  readonly origin?: (() => Awaitable<JsonObject>) | undefined;
  /**
   * The column that identifies a row: a text or a number, another one in each row. What functions get as `key` and `seed` is then made of it, not of the
   * row's number, so it stays the same where rows are inserted above. A row whose value an earlier one has is rejected: `duplicate-key`.
   */
  readonly key?: (keyof z.output<S> & string) | undefined;
}

/**
 * Where rows come from: `rows` (distilog skips what it has), or `read`, which begins at item `offset`; the same rows in the same order every time. An
 * `Error` in a row's place rejects that row, with its `code` if it has one.
 */
export type SourceStep<S extends Columns> =
  | (SourceMembers<S> & {
      readonly rows: Rows<z.input<S> | Error> | (() => Awaitable<Rows<z.input<S> | Error>>);
      readonly read?: undefined;
    })
  | (SourceMembers<S> & { readonly read: (context: ReadContext) => Awaitable<Rows<z.input<S> | Error>>; readonly rows?: undefined });

/** A step for many pipelines: with an id, a version and the columns that it reads. */
export type NamedStep<S, I> = S & { readonly id: string; readonly version: string | number; readonly input: I };

/** Steps for use in many pipelines: named, versioned, with the columns that they read. */
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

/** Other names for the columns of a step, by their own. */
export type ColumnNames<Row, S extends Columns> = { readonly [K in keyof Row | keyof z.output<S>]?: string };

/** A library step whose columns have other names in this pipeline: `renamed(textGeneration({ model }), { instruction: 'question' })`. */
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
  return renamedStep(it, names as Readonly<Record<string, string>>) as never;
}

function renamedStep(it: RenamableStep, names: Readonly<Record<string, string>>): RenamableStep {
  const there = new Map(Object.entries(names));
  const here = new Map(Array.from(there, ([from, to]) => [to, from]));
  const twice = twiceNamed(Object.keys(it.output.shape).map((name) => there.get(name) ?? name));
  if (twice !== undefined) refuse(`two columns of a renamed step are called ${twice}. Give one another name.`, { site: callSite(renamed) });
  // A column of the pipeline whose name is the library's for another one stays out of the library's sight.
  const toLibrary = (row: object): object =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([name]) => here.has(name) || !there.has(name))
        .map(([name, value]) => [here.get(name) ?? name, value]),
    );
  const fromLibrary = (row: object): object =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [there.get(name) ?? name, value]));
  const backOne = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !isErrorLike(value) ? fromLibrary(value) : value;
  const back = (value: unknown): unknown => (it.kind === 'map' || it.kind === undefined ? backOne(value) : eachOf(value, backOne));
  const run = it.run as (input: unknown, context: Context) => unknown;
  return {
    ...it,
    settings: { of: it.settings ?? null, names },
    output: it.output.clone({ ...it.output.def, shape: fromLibrary(it.output.shape) as typeof it.output.shape }),
    input: it.input?.clone({ ...it.input.def, shape: fromLibrary(it.input.shape) as typeof it.input.shape }),
    reads: it.reads && fromLibrary(it.reads),
    run: (input: object, context: Context) => {
      const result = run(Array.isArray(input) ? input.map(toLibrary) : toLibrary(input), context);
      return result instanceof Promise ? result.then(back) : back(result);
    },
    code: it.run.toString(),
  } as unknown as RenamableStep;
}

type RenamableStep = MapStep<never, Columns> | MapBatchStep<never, Columns> | FlatMapStep<never, Columns>;

/** The members of whatever can be iterated, each changed; anything else as it is. */
function eachOf(value: unknown, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null) return value;
  if (Symbol.asyncIterator in value) return changedAsync(value as AsyncIterable<unknown>, change);
  return Symbol.iterator in value ? changed(value as Iterable<unknown>, change) : value;
}

function* changed(values: Iterable<unknown>, change: (member: unknown) => unknown): Generator<unknown> {
  for (const value of values) yield change(value);
}

async function* changedAsync(values: AsyncIterable<unknown>, change: (member: unknown) => unknown): AsyncGenerator<unknown> {
  for await (const value of values) yield change(value);
}

const twiceNamed = (names: readonly string[]): string | undefined => names.find((name, index) => names.indexOf(name) !== index);
