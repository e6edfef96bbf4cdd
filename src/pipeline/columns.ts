import type { z } from 'zod';
import type { Json } from '../kit/json.ts';

/** The values that literal types of columns may have. */
export type ColumnLiteral =
  | ''
  | 0
  | false
  | null
  | undefined
  | {}
  | readonly []
  | readonly ColumnLiteral[]
  | { readonly [key: string]: ColumnLiteral };

/** The columns that a step writes: a zod object with one member per column. (`ColumnLiteral` keeps the literal types of the values that `run` returns.) */
export type Columns = z.ZodObject<Readonly<Record<string, z.ZodType<unknown, ColumnLiteral>>>>;

/** The values of these columns in a row: the output type of the zod object. */
export type OutputOf<S extends Columns> = z.output<S>;

/** A type with its members written out, so that editors show them on hover. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {};

/** A row with some columns under other names. */
export type Renamed<T, Names> = { [K in keyof T as K extends keyof Names ? (Names[K] extends string ? Names[K] : K) : K]: T[K] };

/** Rows that do not have any of these columns yet. */
export type LacksColumns<S extends Columns> = string extends keyof OutputOf<S>
  ? unknown
  : { readonly [K in keyof OutputOf<S>]?: 'this column exists: give the new one another name' } & { readonly [column: string]: unknown };

/** Rows that have all of these columns. */
export type HasColumns<S extends Columns> = { readonly [K in keyof OutputOf<S>]: unknown };

/** The reason why a type is not JSON, or `never` if it is. */
export type NotJson<T> = 0 extends 1 & T
  ? 'any: use z.json()'
  : unknown extends T
    ? 'unknown: use z.json()'
    : T extends Json
      ? never
      : T extends Date
        ? 'a Date: use z.iso.datetime()'
        : T extends bigint
          ? 'a bigint: use z.int() or z.string()'
          : T extends undefined
            ? 'undefined: a column is in every row, use .nullable()'
            : T extends (...args: never[]) => unknown
              ? 'a function'
              : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
                ? 'a Map or Set: use z.record() or z.array()'
                : T extends readonly (infer I)[]
                  ? NotJson<I>
                  : T extends object
                    ? { [K in keyof T]-?: NotJson<Exclude<T[K], undefined>> }[keyof T]
                    : 'not JSON';

/** The columns that are not JSON, each with its reason. */
export type Explained<T> = {
  [K in keyof T & string]: [NotJson<T[K]>] extends [never] ? never : `column '${K}' is ${NotJson<T[K]>}`;
}[keyof T & string];

/** Columns that can be stored: named, and JSON at every depth. For other columns the compiler's message gives the reason. */
export type Storable<S extends Columns> = string extends keyof OutputOf<S>
  ? { readonly output: 'columns must be named: no z.looseObject(), no .catchall()' }
  : [Explained<OutputOf<S>>] extends [never]
    ? unknown
    : { readonly output: Explained<OutputOf<S>> };

/** A value or a promise of one. */
export type Awaitable<T> = T | Promise<T>;
/** Rows as a sync or async iterable. */
export type Rows<T> = Iterable<T> | AsyncIterable<T>;
