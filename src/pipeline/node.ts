import type { z } from 'zod';
import type { Columns, Lacks, Out, Simplify, Storable } from './columns.ts';
import type { FilterStep, MapStep, SourceStep, StepOptions } from './steps.ts';

/** Rows on their way: the output of a step, from which others are made. A node with more columns is a node with fewer. */
export interface Node<out Row> {
  readonly name: string;
  /** Adds the columns of `output`, row by row. */
  map<S extends Columns>(
    this: Node<Lacks<S>>,
    name: string,
    step: MapStep<Row, S> & Storable<S>,
    options?: StepOptions,
  ): Node<Row & Out<S>>;
  /** Keeps the rows for which `keep` says true. */
  filter(name: string, step: FilterStep<Row>, options?: StepOptions): Node<Row>;
  /** Keeps these columns only, in this order. */
  select<K extends keyof Row & string>(
    name: string,
    columns: readonly K[],
    options?: Pick<StepOptions, 'batchSize'>,
  ): Node<{ [C in K]: Row[C] }>;
}

/** What a pipeline's definition gets. */
export interface Builder<out Params> {
  readonly params: Params;
  /** Rows from outside. */
  readonly source: <S extends Columns>(name: string, step: SourceStep<S> & Storable<S>, options?: StepOptions) => Node<Out<S>>;
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

type RowOf<N> = N extends Node<infer Row> ? Row : never;

/** The row types of the leaves that a pipeline returns. */
export type RowsOf<P> =
  P extends Pipeline<infer _, infer L> ? (L extends Leaves ? { readonly [K in keyof L]: Simplify<RowOf<L[K]>> } : {}) : never;
