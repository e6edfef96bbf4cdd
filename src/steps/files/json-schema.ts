/** The kinds of JSON values. */
export type Kind = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** A JSON Schema or a part of one. Unknown keywords allow everything. */
export type Schema = Readonly<Record<string, unknown>> | undefined;

/** Returns the kinds of values that a schema allows, or null if it allows every kind. */
export function kindsOf(schema: unknown): ReadonlySet<Kind> | null {
  if (!isSchema(schema)) return null;
  const { type, anyOf, oneOf, allOf, enum: values, const: value } = schema;
  if (Array.isArray(values)) return new Set(values.map(kindOf));
  if (value !== undefined) return new Set([kindOf(value)]);
  if (typeof type === 'string') return new Set([type as Kind]);
  if (Array.isArray(type)) return new Set(type as Kind[]);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) {
    const all = choices.map(kindsOf);
    return all.includes(null) ? null : new Set(all.flatMap((kinds) => [...(kinds ?? [])]));
  }
  // All members of `allOf` apply, so the first one that restricts the kinds is enough.
  return Array.isArray(allOf) ? (allOf.map(kindsOf).find((kinds) => kinds !== null) ?? null) : null;
}

/** Returns the kind of a JSON value. */
export function kindOf(value: unknown): Kind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as Kind;
}

/** Returns the schema of an item of a list. */
export function itemSchema(list: Schema, index: number): Schema {
  const { prefixItems, items } = onlyChoice(list, 'array') ?? {};
  const own: unknown = Array.isArray(prefixItems) ? prefixItems[index] : undefined;
  return asSchema(own ?? items);
}

/** Returns the schema of an object's member and whether the member may be missing. */
export function memberSchema(object: Schema, name: string): { readonly schema: Schema; readonly mayBeMissing: boolean } {
  const { properties, required, additionalProperties } = onlyChoice(object, 'object') ?? {};
  const own = isSchema(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return {
    schema: asSchema(own ?? additionalProperties),
    mayBeMissing: own !== undefined && !(Array.isArray(required) && required.includes(name)),
  };
}

/** Returns the alternative of a schema that allows a kind, if there is exactly one. */
function onlyChoice(schema: Schema, kind: Kind): Schema {
  const choices = schema?.['anyOf'] ?? schema?.['oneOf'];
  if (!Array.isArray(choices)) return schema;
  const matching = choices.filter((choice) => kindsOf(choice)?.has(kind) ?? true);
  return matching.length === 1 ? onlyChoice(asSchema(matching[0]), kind) : undefined;
}

const isSchema = (value: unknown): value is NonNullable<Schema> => typeof value === 'object' && value !== null && !Array.isArray(value);

const asSchema = (value: unknown): Schema => (isSchema(value) ? value : undefined);
