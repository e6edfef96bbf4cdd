import type { z } from 'zod';

/** The members of a zod definition that hold other schemas. */
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
 * Returns whether values of a schema may have keys that it does not name. That is true of a record, JSON, an object with a catchall, and any schema that is
 * not known to be closed. A schema may contain itself, for example that of a tree.
 */
export const canHoldAnyKey = (schema: z.core.$ZodType): boolean => isOpen(schema, new Set());

function isOpen(schema: z.core.$ZodType, seen: Set<z.core.$ZodType>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { type, innerType, element, options = [], items = [], rest, shape, catchall } = schema._zod.def as unknown as Parts;
  if (scalars.has(type)) return false;
  if (type === 'object') {
    const isClosed = catchall === undefined || catchall._zod.def.type === 'never';
    return !isClosed || Object.values(shape ?? {}).some((schema) => isOpen(schema, seen));
  }
  if (!holders.has(type)) return true;
  return [innerType, element, rest, ...options, ...items].some((schema) => schema !== undefined && schema !== null && isOpen(schema, seen));
}
