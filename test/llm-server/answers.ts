import { hashed } from '../unit/random.ts';

const words = 'river stone lamp garden winter paper cloud harbour copper meadow quiet engine window bread letter summer'.split(' ');

/** A few words that follow from a seed. */
export function sentence(seed: string, length = 4 + (hashed('length', seed) % 20)): string {
  const chosen = Array.from({ length }, (_, index) => words[hashed(seed, index) % words.length] ?? '');
  const text = chosen.join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A value that fits a JSON Schema and follows from a seed. A list has `items` items, where the schema does not say. */
export function fitting(schema: JsonSchema, seed: string, items: number | undefined): unknown {
  const luck = hashed('value', seed);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return fitting(either[luck % either.length] ?? {}, `${seed}?`, items);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[luck % schema.enum.length];
  switch (Array.isArray(schema.type) ? (schema.type as readonly string[])[luck % schema.type.length] : schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, member]) => [name, fitting(member, `${seed}.${name}`, items)]),
      );
    case 'array': {
      const length = Math.min(Math.max(items ?? 1 + (luck % 3), schema.minItems ?? 0), schema.maxItems ?? Number.POSITIVE_INFINITY);
      return Array.from({ length }, (_, index) => fitting(schema.items ?? {}, `${seed}[${index}]`, items));
    }
    case 'integer':
    case 'number': {
      const low = schema.minimum ?? 0;
      return low + (luck % ((schema.maximum ?? low + 9) - low + 1));
    }
    case 'boolean':
      return luck % 2 === 0;
    case 'null':
      return null;
    default:
      return sentence(seed)
        .padEnd(schema.minLength ?? 0, 'x')
        .slice(0, schema.maxLength);
  }
}
