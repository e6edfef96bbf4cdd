import { z } from 'zod';

/** Compiled schemas, created at the first event of a type. Compilation is worth its cost, because every event is checked at each write and read. */
const compiled = new WeakMap<z.ZodType, z.ZodType>();

/** Parses data with a schema. Members that the schema does not name are dropped. */
export function checkData(schema: z.ZodType, data: unknown): z.ZodSafeParseResult<unknown> {
  const known = compiled.get(schema) ?? z.compile(schema);
  compiled.set(schema, known);
  return known.safeParse(data);
}
