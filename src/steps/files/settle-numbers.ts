import { z } from 'zod';
import type { Columns } from '../../pipeline/index.ts';
import { itemSchema, kindsOf, memberSchema, type Schema } from './json-schema.ts';
import { isExact, LongNumber } from './long-number.ts';
import { RowError } from './row-error.ts';

/** Replaces the `LongNumber`s of a row by values that its columns accept, or returns the error that rejects the row. */
export type SettleNumbers = (row: Readonly<Record<string, unknown>>, where: () => string) => Readonly<Record<string, unknown>> | RowError;

/**
 * Creates a function that replaces each `LongNumber` in the declared columns: by its digits if the column accepts texts and no such number, by the number if
 * that is exact. Otherwise the row is rejected. Columns that are not declared are left out.
 */
export function createSettleNumbers(output: Columns): SettleNumbers {
  const columns = Object.entries(output.shape).map(([name, column]) => ({
    name,
    schema: z.toJSONSchema(column, { io: 'input', unrepresentable: 'any', cycles: 'ref' }) as Schema,
  }));
  return (row, where) => {
    const settled: [string, unknown][] = [];
    for (const { name, schema } of columns) {
      if (!Object.hasOwn(row, name)) continue;
      const value = settleNumber(row[name], schema);
      if (value instanceof LongNumber)
        return new RowError(
          'invalid-value',
          `${where()}, column ${name}: a number does not hold ${preview(value.text)} exactly. ` +
            (value.isInteger ? 'Declare the value as z.string(), which keeps its digits.' : 'Write the value as a text in the file.'),
        );
      settled.push([name, value]);
    }
    return Object.fromEntries(settled);
  };
}

/** Returns a value without `LongNumber`s, or the first one that its schema cannot take. Without a schema, that is the first one that is not exact. */
export function settleNumber(value: unknown, schema: Schema): unknown {
  if (value instanceof LongNumber) {
    const kinds = kindsOf(schema);
    if (value.isInteger && kinds?.has('string') === true && !kinds.has('number')) return value.text;
    return isExact(value.text) ? Number(value.text) : value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => settleNumber(item, itemSchema(schema, index)));
    return items.find((item) => item instanceof LongNumber) ?? items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, settleNumber(member, memberSchema(schema, name).schema)] as const);
  return members.find(([, member]) => member instanceof LongNumber)?.[1] ?? Object.fromEntries(members);
}

const shownMax = 80;

const preview = (digits: string): string => (digits.length > shownMax ? `${digits.slice(0, shownMax)}…` : digits);
