import { z } from 'zod';
import { accepts } from './fitting.ts';
import { kindsOf, type Kind, type Schema } from './json-schema.ts';

/** The values that a column accepts, for conversion from text. */
export interface ColumnKinds {
  readonly schema: Schema;
  /** The accepted kinds, or null if every kind is accepted. */
  readonly kinds: ReadonlySet<Kind> | null;
  /** The meaning of an empty field: null, the column's default, or an error. */
  readonly absent: 'null' | 'default' | 'refused';
}

/** Returns the kinds of values that a zod type accepts, according to its JSON Schema. */
export function columnKinds(column: z.core.$ZodType): ColumnKinds {
  const schema = z.toJSONSchema(column, { io: 'input', unrepresentable: 'any', cycles: 'ref' }) as Schema;
  const absent = accepts(column, undefined) ? 'default' : accepts(column, null) ? 'null' : 'refused';
  return { schema, kinds: kindsOf(schema), absent };
}

/** Returns whether texts are accepted. */
export const takesText = (kinds: ReadonlySet<Kind> | null): boolean => kinds === null || kinds.has('string');

/** Returns whether only texts are accepted, and possibly null. */
export const takesOnlyText = (kinds: ReadonlySet<Kind> | null): boolean =>
  kinds !== null && kinds.has('string') && kinds.size === (kinds.has('null') ? 2 : 1);
