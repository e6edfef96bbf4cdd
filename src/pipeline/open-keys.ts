import type { z } from 'zod';

/** The parts of a zod definition that other schemas are in. */
interface Parts {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly items?: readonly z.core.$ZodType[];
  readonly rest?: z.core.$ZodType | null;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly catchall?: z.core.$ZodType;
}

const scalars: ReadonlySet<string> = new Set(['string', 'number', 'int', 'boolean', 'enum', 'literal', 'null', 'template_literal']);
const holders: ReadonlySet<string> = new Set([
  'nullable',
  'optional',
  'default',
  'prefault',
  'readonly',
  'catch',
  'nonoptional',
  'array',
  'tuple',
  'union',
]);

/**
 * Returns whether values of a schema may have keys that it does not name: a record, JSON, an object with a catchall, anything that is not known to have
 * none. A schema may contain itself, as that of a tree.
 */
export const takesAnyKey = (schema: z.core.$ZodType): boolean => isOpen(schema, new Set());

function isOpen(schema: z.core.$ZodType, seen: Set<z.core.$ZodType>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { type, innerType, element, options = [], items = [], rest, shape, catchall } = schema._zod.def as unknown as Parts;
  if (scalars.has(type)) return false;
  if (type === 'object') {
    const isClosed = catchall === undefined || catchall._zod.def.type === 'never';
    return !isClosed || Object.values(shape ?? {}).some((each) => isOpen(each, seen));
  }
  if (!holders.has(type)) return true;
  return [innerType, element, rest, ...options, ...items].some((each) => each !== undefined && each !== null && isOpen(each, seen));
}
