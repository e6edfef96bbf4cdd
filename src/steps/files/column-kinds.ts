import { z } from 'zod';
import { accepts } from './fitting.ts';
import { kindsOf, type Kind, type Schema } from './json-schema.ts';

/** What a column takes, for those who read its values from text. */
export interface ColumnKinds {
  readonly schema: Schema;
  /** Kinds of its values; null where it takes every kind. */
  readonly kinds: ReadonlySet<Kind> | null;
  /** Whether it takes null, or has a default: what an empty field is. */
  readonly absent: 'null' | 'default' | 'refused';
}

/** The kinds of values that a zod type takes, as its JSON Schema says. */
export function columnKinds(column: z.core.$ZodType): ColumnKinds {
  const schema = z.toJSONSchema(column, { io: 'input', unrepresentable: 'any', cycles: 'ref' }) as Schema;
  const absent = accepts(column, undefined) ? 'default' : accepts(column, null) ? 'null' : 'refused';
  return { schema, kinds: kindsOf(schema), absent };
}

/** Whether texts are values, among others. */
export const takesText = (kinds: ReadonlySet<Kind> | null): boolean => kinds === null || kinds.has('string');

/** Whether texts are the only values, null aside. */
export const takesOnlyText = (kinds: ReadonlySet<Kind> | null): boolean =>
  kinds !== null && kinds.has('string') && kinds.size === (kinds.has('null') ? 2 : 1);
