import { z } from 'zod';

const mark = 'distilog.secret';

/** A param whose value is given again at every start and resume: only its name is recorded. */
export const secret = (): z.ZodString => z.string().meta({ [mark]: true });

/** Whether a schema (or what it wraps: optional, nullable, default) is a secret's. */
export function isSecret(schema: z.core.$ZodType): boolean {
  if (z.globalRegistry.get(schema)?.[mark] === true) return true;
  const { innerType } = schema._zod.def as unknown as { readonly innerType?: z.core.$ZodType };
  return innerType !== undefined && isSecret(innerType);
}
