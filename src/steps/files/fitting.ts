import { z } from 'zod';
import { rowCheck, type Columns } from '../../pipeline/index.ts';
import { RowError } from './row-error.ts';

/** Returns a row of a file for the engine, or the error that rejects it. `where` returns its place in the file. */
export type Fit = (row: Readonly<Record<string, unknown>>, where: () => string) => object;

/** Creates a check of rows against their columns whose messages name the row's place. A column that may be null may be missing. */
export function createRowFit(output: Columns): Fit {
  const check = rowCheck(output);
  const nullable = Object.entries(output.shape)
    .filter(([, column]) => accepts(column, null) && !accepts(column, undefined))
    .map(([name]) => name);
  return (row, where) => {
    const missing = nullable.filter((name) => !Object.hasOwn(row, name));
    const whole = missing.length === 0 ? row : { ...row, ...Object.fromEntries(missing.map((name) => [name, null])) };
    const checked = check(whole);
    return checked.ok ? whole : new RowError('invalid-value', `${where()}: ${checked.message}`);
  };
}

/** Returns whether a column accepts a value. */
export function accepts(column: z.core.$ZodType, value: null | undefined): boolean {
  try {
    return z.safeParse(column, value).success;
  } catch {
    // The schema is asynchronous, which the engine reports for every row.
    return false;
  }
}
