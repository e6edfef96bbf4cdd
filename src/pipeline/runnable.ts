import type { JsonObject } from '#kit/json';
import type { Cut, ManifestOptions } from '#schema';
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
  /** Columns whose values it writes, in order. */
  readonly adds: readonly string[];
  readonly signature: string;
}

export interface SourceRunnable extends Runnable {
  readonly operator: 'source';
  /** Items from `offset` on. */
  readonly open: (context: ReadContext) => Awaitable<Rows<unknown>>;
  readonly count: (() => Awaitable<number>) | null;
  readonly origin: (() => Awaitable<JsonObject>) | null;
  readonly check: (value: unknown) => Checked;
}

export interface MapRunnable extends Runnable {
  readonly operator: 'map';
  readonly call: (row: unknown, context: Context) => unknown;
  readonly check: (value: unknown) => Checked;
}

export interface FilterRunnable extends Runnable {
  readonly operator: 'filter';
  readonly call: (row: unknown, context: Context) => unknown;
}

export interface SelectRunnable extends Runnable {
  readonly operator: 'select';
}

/** A step of a plan with the functions that a worker calls. */
export type RunnableStep = SourceRunnable | MapRunnable | FilterRunnable | SelectRunnable;
