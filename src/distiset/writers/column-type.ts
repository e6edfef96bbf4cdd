import type { Json, JsonObject } from '../../kit/json.ts';

/** The type of a column's values in files. Every value may be null. Values of kind `json` have no type of their own and are written as JSON text. */
export type ColumnType =
  | { readonly kind: 'string' | 'boolean' | 'integer' | 'double' | 'json' }
  | { readonly kind: 'list'; readonly item: ColumnType }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: ColumnType }[] };

/**
 * Structs and lists below this depth are written as JSON text. DuckDB takes twice as long for each further level of lists (18 levels: a second, 20:
 * minutes), and Arrow opens no schema that is more than 100 groups deep.
 */
const depthMax = 12;

/** Returns the type of a column from its JSON Schema (draft 2020-12). It never uses the first rows, which may be null or of one kind by chance. */
export const columnType = (schema: JsonObject): ColumnType => typeOf(schema, depthMax);

const json: ColumnType = { kind: 'json' };

function typeOf(schema: Json | undefined, depth: number): ColumnType {
  if (!isObject(schema) || schema['$ref'] !== undefined || schema['allOf'] !== undefined) return json;
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (isList(choices)) return commonType(choices.map((choice) => (isNull(choice) ? null : typeOf(choice, depth))));
  if (schema['const'] !== undefined) return commonType([literalType(schema['const'])]);
  const { enum: values, type } = schema as { readonly enum?: Json; readonly type?: Json };
  if (isList(values)) return commonType(values.map(literalType));
  if (isList(type)) return commonType(type.map((one) => (one === 'null' ? null : typeOf({ ...schema, type: one }, depth))));
  switch (type) {
    case 'string':
    case 'boolean':
      return { kind: type };
    case 'integer':
      return { kind: isBounded(schema) ? 'integer' : 'double' };
    case 'number':
      return { kind: 'double' };
    case 'array':
      return depth === 0 ? json : listType(schema, depth);
    case 'object':
      return depth === 0 ? json : structType(schema, depth);
    default:
      return json;
  }
}

/** Returns whether 64 bits hold every integer that the schema allows. Without bounds it allows even 1e300. */
function isBounded({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonObject): boolean {
  const isWithin = (bound: Json | undefined) => typeof bound === 'number' && Math.abs(bound) <= 2 ** 53;
  return (isWithin(minimum) || isWithin(exclusiveMinimum)) && (isWithin(maximum) || isWithin(exclusiveMaximum));
}

const isNull = (schema: Json): boolean => isObject(schema) && schema['type'] === 'null';

/** Returns the common type of all choices except null. Integers and doubles give doubles; other different types give JSON. */
function commonType(types: readonly (ColumnType | null)[]): ColumnType {
  const [first, ...others] = types.filter((type) => type !== null);
  if (!first) return json;
  if (others.every((other) => JSON.stringify(other) === JSON.stringify(first))) return first;
  return [first, ...others].every(({ kind }) => kind === 'integer' || kind === 'double') ? { kind: 'double' } : json;
}

function literalType(value: Json): ColumnType | null {
  if (value === null) return null;
  if (typeof value === 'string') return { kind: 'string' };
  if (typeof value === 'boolean') return { kind: 'boolean' };
  if (typeof value === 'number') return { kind: Number.isInteger(value) && Math.abs(value) <= 2 ** 53 ? 'integer' : 'double' };
  return json;
}

/** Returns the type of a list, or of a tuple whose items have one type. If items would be JSON text, the whole list is, because a list of texts is less useful. */
function listType({ items, prefixItems }: JsonObject, depth: number): ColumnType {
  const schemas = [...(isList(prefixItems) ? prefixItems : []), ...(isObject(items) ? [items] : [])];
  const item = commonType(schemas.map((schema) => typeOf(schema, depth - 1)));
  return item.kind === 'json' ? json : { kind: 'list', item };
}

function structType({ properties, additionalProperties, patternProperties }: JsonObject, depth: number): ColumnType {
  const isOpen = (additionalProperties !== undefined && additionalProperties !== false) || patternProperties !== undefined;
  if (isOpen || !isObject(properties)) return json;
  const names = Object.keys(properties);
  // Parquet has no struct without fields.
  if (names.length === 0 || !names.every(isFieldName)) return json;
  return { kind: 'struct', fields: names.map((name) => ({ name, type: typeOf(properties[name], depth - 1) })) };
}

/** Returns whether a name can be a field. Readers cut a name at U+0000, UTF-8 holds no lone surrogate, and JavaScript cannot assign an own `__proto__`. */
const isFieldName = (name: string): boolean => name !== '' && name !== '__proto__' && !name.includes('\u0000') && name.isWellFormed();

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Returns the short name of a type: `string`, `list<struct<role: string, content: string>>`. */
export function typeName(type: ColumnType): string {
  if (type.kind === 'list') return `list<${typeName(type.item)}>`;
  if (type.kind === 'struct') return `struct<${type.fields.map((field) => `${field.name}: ${typeName(field.type)}`).join(', ')}>`;
  return type.kind;
}
