import type { z } from 'zod';
import type { Columns, HasColumns, LacksColumns, OutputOf, Renamed, Simplify, Storable } from './columns.ts';
import type { BatchStep, FilterStep, FlatMapStep, GlobalStep, MapBatchStep, MapStep, RouteStep, SourceStep, StepOptions } from './steps.ts';

/** The output of a step, from which further steps are created. A node with more columns is assignable to a node with fewer. */
export interface Node<out Row> {
  readonly name: string;
  /** Adds the columns of `output`, row by row. */
  map<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: MapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Adds the columns of `output`, a batch of rows at a time. */
  mapBatch<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: MapBatchStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Makes any number of rows from each row and adds the columns of `output` to them. The next step takes 1,000 of them at a time unless it sets `batchSize`. */
  flatMap<S extends Columns>(
    this: Node<LacksColumns<S>>,
    name: string,
    step: FlatMapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & OutputOf<S>>;
  /** Replaces the values of existing columns, and their types if `output` changes them. */
  replace<S extends Columns>(
    this: Node<HasColumns<S>>,
    name: string,
    step: MapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<{ [C in keyof Row]: C extends keyof OutputOf<S> ? OutputOf<S>[C] : Row[C] }>;
  /** Makes new rows from every `batchSize` rows. Only the columns that `run` returns remain. */
  batch<S extends Columns>(name: string, step: BatchStep<Row, S> & Storable<S>, options?: StepOptions): Node<OutputOf<S>>;
  /** Makes new rows from all rows, after the last one has arrived. */
  global<S extends Columns>(name: string, step: GlobalStep<Row, S> & Storable<S>, options?: StepOptions): Node<OutputOf<S>>;
  /** Keeps the rows for which `keep` returns true. */
  filter(name: string, step: FilterStep<Row>, options?: StepOptions): Node<Row>;
  /** Keeps the rows in which none of these columns is null. */
  nonNull<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in keyof Row]: C extends K ? NonNullable<Row[C]> : Row[C] }>;
  /** Sends each row to one of several branches. Returns a node for each branch; its step is called `name-branch`. */
  route<const B extends string>(name: string, step: RouteStep<Row, B>, options?: StepOptions): { readonly [K in B]: Node<Row> };
  /** Keeps these columns only, in this order. */
  select<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in K]: Row[C] }>;
  /** Keeps all columns except these. */
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

/** The branches of a join or a union: two nodes or more. */
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

/** The argument of a pipeline's definition. */
export interface Builder<out Params> {
  readonly params: Params;
  /** Adds a source. */
  readonly source: <S extends Columns>(name: string, step: SourceStep<S> & Storable<S>, options?: StepOptions) => Node<OutputOf<S>>;
  /**
   * Matches the rows of branches that part at one step, one to one, and keeps those that every branch still has. A column that several branches wrote must
   * be collected in a list under another name (`lists: { generation: 'generations' }`) or renamed first. A list is in the order of the branches.
   */
  readonly join: <const N extends Nodes, const L extends { readonly [K in keyof JoinedColumns<N>]?: string } = {}>(
    name: string,
    nodes: N,
    options?: { readonly lists?: L | undefined },
  ) => Node<JoinedRow<N, L>>;
  /**
   * Passes on the rows of all branches. A column that a branch lacks is null. The rows of branches that part at one step stay in that step's order; other
   * branches follow one another.
   */
  readonly union: <const N extends Nodes>(name: string, nodes: N, options?: Pick<StepOptions, 'batchSize'>) => Node<Simplify<UnitedRow<N>>>;
}

/** Leaves by name. A definition may return them to give tests and distisets their row types. */
export type Leaves = Readonly<Record<string, Node<unknown>>>;

/** A pipeline definition, as `distilog run` loads it. */
export interface Pipeline<out P extends z.ZodObject = z.ZodObject, out L = unknown> {
  readonly name: string;
  readonly params: P;
  define(builder: Builder<z.output<P>>): L;
}

/** The params of a pipeline before its schema parses them. */
export type ParamsOf<P extends Pipeline> = z.input<P['params']>;

/** The row type of a node. */
export type RowOf<N> = N extends Node<infer Row> ? Row : never;

/** The row types of the leaves that a pipeline returns. */
export type RowsOf<P> =
  P extends Pipeline<infer _, infer L> ? (L extends Leaves ? { readonly [K in keyof L]: Simplify<RowOf<L[K]>> } : {}) : never;
