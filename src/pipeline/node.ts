import type { z } from 'zod';
import type { Columns, HasColumns, LacksColumns, OutputOf, Renamed, Simplify, Storable } from './columns.ts';
import type { BatchStep, FilterStep, FlatMapStep, GlobalStep, MapBatchStep, MapStep, RouteStep, SourceStep, StepOptions } from './steps.ts';

/** Rows on their way: the output of a step, from which others are made. A node with more columns is a node with fewer. */
export interface Node<out Row> {
  readonly name: string;
  /** Adds the columns of `output`, row by row. */
  map<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: MapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Adds the columns of `output` to rows that `run` gets together. */
  mapBatch<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: MapBatchStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Makes any number of rows from each, with the columns of `output` beside its own. What follows takes them 1,000 at a time, unless it has a `batchSize`. */
  flatMap<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: FlatMapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Gives columns that exist other values, and another type if `output` says so. */
  replace<S extends Columns>(
    this: Node<HasColumns<S>>,
    name: string,
    step: MapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<{ [C in keyof Row]: C extends keyof OutputOf<S> ? OutputOf<S>[C] : Row[C] }>;
  /** Makes new rows of every `batchSize` rows: nothing of theirs is left but what `run` returns. */
  batch<S extends Columns>(name: string, step: BatchStep<Row, S> & Storable<S>, options?: StepOptions): Node<OutputOf<S>>;
  /** Makes new rows of all rows, once the last has come. */
  global<S extends Columns>(name: string, step: GlobalStep<Row, S> & Storable<S>, options?: StepOptions): Node<OutputOf<S>>;
  /** Keeps the rows for which `keep` says true. */
  filter(name: string, step: FilterStep<Row>, options?: StepOptions): Node<Row>;
  /** Keeps the rows in which none of these columns is null. */
  nonNull<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in keyof Row]: C extends K ? NonNullable<Row[C]> : Row[C] }>;
  /** Sends each row one of several ways: a node for each branch, whose step is called `name-branch`. */
  route<const B extends string>(name: string, step: RouteStep<Row, B>, options?: StepOptions): { readonly [K in B]: Node<Row> };
  /** Keeps these columns only, in this order. */
  select<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in K]: Row[C] }>;
  /** Keeps all columns but these. */
  drop<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in keyof Row as C extends K ? never : C]: Row[C] }>;
  /** Gives columns other names. */
  rename<const N extends { readonly [K in keyof Row]?: string }>(
    name: string,
    names: N,
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<Renamed<Row, N>>;
}

/** Two nodes or more: the branches of a join or a union. */
export type Nodes = readonly [Node<unknown>, Node<unknown>, ...Node<unknown>[]];
/** The columns of two branches that are joined. */
export type JoinedPair<A, B> = Omit<A, keyof B> &
  Omit<B, keyof A> & {
    [K in keyof A & keyof B]: [A[K], B[K]] extends [B[K], A[K]] ? A[K] : 'the branches hold different types: rename one';
  };
/** The columns of all branches that are joined. */
export type JoinedColumns<N extends readonly unknown[]> = N extends readonly [Node<infer A>]
  ? A
  : N extends readonly [Node<infer A>, ...infer Rest]
    ? JoinedPair<A, JoinedColumns<Rest>>
    : never;
/** The rows of a join. */
export type JoinedRow<N extends readonly unknown[], Lists> = Simplify<
  Omit<JoinedColumns<N>, keyof Lists> & { [K in keyof Lists & keyof JoinedColumns<N> as Lists[K] & string]: JoinedColumns<N>[K][] }
>;
/** The rows of a union of two branches. */
export type UnitedPair<A, B> = { [K in keyof A & keyof B]: A[K] | B[K] } & { [K in Exclude<keyof A, keyof B>]: A[K] | null } & {
  [K in Exclude<keyof B, keyof A>]: B[K] | null;
};
/** The rows of a union of all branches. */
export type UnitedRow<N extends readonly unknown[]> = N extends readonly [Node<infer A>]
  ? A
  : N extends readonly [Node<infer A>, ...infer Rest]
    ? UnitedPair<A, UnitedRow<Rest>>
    : never;

/** What a pipeline's definition gets. */
export interface Builder<out Params> {
  readonly params: Params;
  /** Rows from outside. */
  readonly source: <S extends Columns>(name: string, step: SourceStep<S> & Storable<S>, options?: StepOptions) => Node<OutputOf<S>>;
  /**
   * Rows of one step that went several ways, put together again one to one: those that every branch still has. A column that several branches wrote is
   * gathered under another name, in the order of the branches (`lists: { generation: 'generations' }`), or renamed before.
   */
  readonly join: <const N extends Nodes, const L extends { readonly [K in keyof JoinedColumns<N>]?: string } = {}>(
    name: string,
    nodes: N,
    options?: { readonly lists?: L | undefined },
  ) => Node<JoinedRow<N, L>>;
  /**
   * The rows of all branches; a column that a branch lacks is null. Branches that part at one step come in the order of its rows, others one branch
   * after the other.
   */
  readonly union: <const N extends Nodes>(name: string, nodes: N, options?: Pick<StepOptions, 'batchSize'>) => Node<Simplify<UnitedRow<N>>>;
}

/** Leaves by name: optional, for they give tests and distisets their row types. */
export type Leaves = Readonly<Record<string, Node<unknown>>>;

/** A defined pipeline: what `distilog run` loads. */
export interface Pipeline<out P extends z.ZodObject = z.ZodObject, out L = unknown> {
  readonly name: string;
  readonly params: P;
  define(builder: Builder<z.output<P>>): L;
}

/** The params that a pipeline takes, before its schema parses them. */
export type ParamsOf<P extends Pipeline> = z.input<P['params']>;

/** The row type of a node. */
export type RowOf<N> = N extends Node<infer Row> ? Row : never;

/** The row types of the leaves that a pipeline returns. */
export type RowsOf<P> =
  P extends Pipeline<infer _, infer L> ? (L extends Leaves ? { readonly [K in keyof L]: Simplify<RowOf<L[K]>> } : {}) : never;
