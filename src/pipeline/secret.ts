import { z } from 'zod';

const mark = 'distilog.secret';

/** Declares a secret param. Only its name is recorded, so its value must be given at every start and resume. */
export const secret = (): z.ZodString => z.string().meta({ [mark]: true });

/** Returns whether a schema is a secret or wraps one: optional, with a default, transformed, or in a union. */
export function isSecret(schema: z.core.$ZodType): boolean {
  if (z.globalRegistry.get(schema)?.[mark] === true) return true;
  const { innerType, in: input, out: output, options = [] } = schema._zod.def as unknown as Wrapper;
  return [innerType, input, output, ...options].some((inner) => inner !== undefined && isSecret(inner));
}

/** Returns whether a schema contains a secret at any depth, such as in a member or an element. */
export function holdsSecret(schema: z.core.$ZodType, seen: Set<z.core.$ZodType> = new Set()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  return isSecret(schema) || listParts(schema).some((part) => holdsSecret(part, seen));
}

interface Wrapper {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
}

/** Lists all schemas that a schema of any kind is built from. */
function listParts(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const { shape, ...def } = schema._zod.def as unknown as Readonly<Record<string, unknown>>;
  const members = typeof shape === 'object' && shape !== null ? Object.values(shape) : [];
  return [...Object.values(def).flat(), ...members].filter(
    (part): part is z.core.$ZodType => typeof part === 'object' && part !== null && '_zod' in part && 'def' in (part._zod as object),
  );
}
