import { z } from 'zod';
import { rowCheck, type Columns } from '../../pipeline/index.ts';
import { RowError } from './row-error.ts';

/** A row of a file as the engine gets it, or why there is none; `where` names its place in the file. */
export type Fit = (row: Readonly<Record<string, unknown>>, where: () => string) => object;

/** Checks rows against their columns, so that the message of one that does not fit names its place. A column that may be null may be missing. */
export function fitting(output: Columns): Fit {
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

/** Whether a column takes a value. */
export function accepts(column: z.core.$ZodType, value: null | undefined): boolean {
  try {
    return z.safeParse(column, value).success;
  } catch {
    // Checked asynchronously: the engine says so of every row.
    return false;
  }
}
