import type { z } from 'zod';

/** A kind of value that a param's text can be parsed as. `object` is every value that is written as JSON. */
type Kind = 'string' | 'number' | 'boolean' | 'null' | 'object';

/** Returns the kinds of value that a schema accepts, or all kinds if the schema does not restrict them. */
export function kindsOf(schema: z.core.$ZodType, depth = 0): ReadonlySet<Kind> {
  const def = schema._zod.def as unknown as Parts;
  const kindsOfAny = (...schemas: readonly z.core.$ZodType[]) => new Set(schemas.flatMap((each) => [...kindsOf(each, depth + 1)]));
  if (depth > depthMax) return new Set(allKinds);
  switch (def.type) {
    case 'string':
    case 'date':
    case 'template_literal':
      return new Set(['string']);
    case 'number':
    case 'boolean':
    case 'null':
      return new Set([def.type]);
    case 'enum':
      return new Set(Object.values(def.entries ?? {}).map(kindOf));
    case 'literal':
      return new Set((def.values ?? []).map(kindOf));
    case 'array':
    case 'tuple':
    case 'object':
    case 'record':
      return new Set(['object']);
    case 'nullable':
      return new Set<Kind>([...(def.innerType ? kindsOfAny(def.innerType) : []), 'null']);
    case 'union':
      return kindsOfAny(...(def.options ?? []));
    case 'lazy':
      return def.getter ? kindsOfAny(def.getter()) : new Set();
    case 'pipe':
      return def.in ? kindsOfAny(def.in._zod.def.type === 'transform' && def.out ? def.out : def.in) : new Set();
    default:
      return def.innerType ? kindsOfAny(def.innerType) : new Set(allKinds);
  }
}

/** The parts of a zod definition that determine its input. */
interface Parts {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly getter?: () => z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
}

const allKinds = ['string', 'number', 'boolean', 'null', 'object'] as const;

/** Limit of nested schemas that are examined, because recursive schemas never end. */
const depthMax = 20;

const kindOf = (value: unknown): Kind =>
  value === null ? 'null' : typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string';
