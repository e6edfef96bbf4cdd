import { z } from 'zod';

/** Schemas of events as functions, made when the first of a type comes: every event is checked when it is written, and again when it is read. */
const compiled = new WeakMap<z.ZodType, z.ZodType>();

/** Data as its schema has it, without what that does not name; or what is wrong with it. */
export function checkedData(schema: z.ZodType, data: unknown): z.ZodSafeParseResult<unknown> {
  const known = compiled.get(schema) ?? z.compile(schema);
  compiled.set(schema, known);
  return known.safeParse(data);
}
