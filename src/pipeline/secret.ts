import { z } from 'zod';

const mark = 'distilog.secret';

/** A param whose value is given again at every start and resume: only its name is recorded. */
export const secret = (): z.ZodString => z.string().meta({ [mark]: true });

/** Whether a schema is a secret's, or wraps one: optional, with a default, transformed, or something else instead. */
export function isSecret(schema: z.core.$ZodType): boolean {
  if (z.globalRegistry.get(schema)?.[mark] === true) return true;
  const { innerType, in: from, out: to, options = [] } = schema._zod.def as unknown as Wrapper;
  return [innerType, from, to, ...options].some((each) => each !== undefined && isSecret(each));
}

/** Whether a schema has a secret somewhere within: in a member, an element. */
export function holdsSecret(schema: z.core.$ZodType, seen: Set<z.core.$ZodType> = new Set()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  return isSecret(schema) || partsOf(schema).some((part) => holdsSecret(part, seen));
}

interface Wrapper {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
}

/** All schemas that a schema is made of, whatever its kind. */
function partsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const { shape, ...def } = schema._zod.def as unknown as Readonly<Record<string, unknown>>;
  const members = typeof shape === 'object' && shape !== null ? Object.values(shape) : [];
  return [...Object.values(def).flat(), ...members].filter(
    (part): part is z.core.$ZodType => typeof part === 'object' && part !== null && '_zod' in part && 'def' in (part._zod as object),
  );
}
