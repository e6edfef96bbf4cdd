import type { ColumnOrigin, Cut, ManifestOptions } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Awaitable, Rows } from './columns.ts';
import type { Column } from './column-schemas.ts';
import type { Context, ReadContext } from './context.ts';
import type { Checked } from './row-check.ts';

interface Runnable {
  readonly name: string;
  readonly upstream: readonly string[];
  readonly cut: Cut;
  readonly options: ManifestOptions;
  /** All columns of its rows, in order. */
  readonly columns: readonly Column[];
  /** Columns of the rows that it reads, in order. */
  readonly inputColumns: readonly string[];
  /** The columns that it writes, in order. */
  readonly adds: readonly string[];
  /** The origins of columns that do not come from the first upstream step under the same name. */
  readonly from: readonly ColumnOrigin[];
  /** The step at which the branches of a join or union part. */
  readonly fork: string | null;
  readonly signature: string;
}

/** A source. */
export interface SourceRunnable extends Runnable {
  readonly operator: 'source';
  /** Returns the items from `offset` on. */
  readonly open: (context: ReadContext) => Awaitable<Rows<unknown>>;
  readonly count: (() => Awaitable<number>) | null;
  readonly origin: (() => Awaitable<JsonObject>) | null;
  /** The column that identifies its rows, or null if none is declared. */
  readonly key: string | null;
  readonly check: (value: unknown) => Checked;
}

/**
 * A step that calls a function for each row. The function returns a result, any number of results, yes or no, or a branch. `readsOrigin` says whether it may
 * read values that are derived from the row's origin.
 */
export type RowWiseRunnable = Runnable & {
  readonly call: (row: unknown, context: Context) => unknown;
  readonly readsOrigin: boolean;
} & (
    | { readonly operator: 'map' | 'replace' | 'flatMap'; readonly check: (value: unknown) => Checked }
    | { readonly operator: 'filter' }
    | { readonly operator: 'route'; readonly branches: readonly string[] }
  );

/** A step that calls a function for many rows: those of a batch, or all rows. */
export interface RowsWiseRunnable extends Runnable {
  readonly operator: 'mapBatch' | 'batch' | 'global';
  readonly call: (rows: readonly unknown[] | AsyncIterable<unknown>, context: Context) => unknown;
  readonly readsOrigin: boolean;
  readonly check: (value: unknown) => Checked;
}

/** A step that calls no function: it passes rows on, possibly fewer or with renamed columns. */
export type PassingRunnable = Runnable &
  (
    | { readonly operator: 'select' | 'drop' | 'rename' | 'union' | 'join' }
    | { readonly operator: 'branch'; readonly branch: string }
    | { readonly operator: 'nonNull' }
  );

/** A step of a plan with the functions that a worker calls. */
export type RunnableStep = SourceRunnable | RowWiseRunnable | RowsWiseRunnable | PassingRunnable;
