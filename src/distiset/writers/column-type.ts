import type { Json, JsonObject } from '#kit/json';

/** The type of a column's values, as files know it. Every value may be null. `json`: what has no type of its own is written as JSON text. */
export type ColumnType =
  | { readonly kind: 'string' | 'boolean' | 'integer' | 'double' | 'json' }
  | { readonly kind: 'list'; readonly item: ColumnType }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: ColumnType }[] };

/** Structs and lists below this depth are written as JSON text: readers' own limits lie not far beyond. */
const depthMax = 16;

/** The type that a JSON Schema (draft 2020-12) says a column has: never the first rows, for those may be null, or of one kind by chance. */
export const columnType = (schema: JsonObject): ColumnType => typeOf(schema, depthMax);

const json: ColumnType = { kind: 'json' };

function typeOf(schema: Json | undefined, depth: number): ColumnType {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema) || depth === 0) return json;
  const object = schema as JsonObject;
  if (object['$ref'] !== undefined || object['allOf'] !== undefined) return json;
  const choices = object['anyOf'] ?? object['oneOf'];
  if (Array.isArray(choices)) return commonType(choices.map((choice) => (isNull(choice) ? null : typeOf(choice, depth))));
  if (object['const'] !== undefined) return commonType([literalType(object['const'])]);
  const { enum: values, type } = object as { readonly enum?: Json; readonly type?: Json };
  if (Array.isArray(values)) return commonType(values.map(literalType));
  if (Array.isArray(type))
    return commonType(type.map((one) => (one === 'null' ? null : typeOf({ ...object, type: one as string }, depth))));
  switch (type) {
    case 'string':
    case 'boolean':
      return { kind: type };
    case 'integer':
      return { kind: 'integer' };
    case 'number':
      return { kind: 'double' };
    case 'array':
      return listType(object, depth);
    case 'object':
      return structType(object, depth);
    default:
      return json;
  }
}

const isNull = (schema: Json): boolean => typeof schema === 'object' && schema !== null && (schema as JsonObject)['type'] === 'null';

/** The one type of all choices, null aside; JSON where they differ. */
function commonType(types: readonly (ColumnType | null)[]): ColumnType {
  const [first, ...others] = types.filter((type) => type !== null);
  if (!first) return json;
  return others.every((other) => JSON.stringify(other) === JSON.stringify(first)) ? first : json;
}

function literalType(value: Json | undefined): ColumnType | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return { kind: typeof value as 'string' | 'boolean' };
  // A literal 1 beside a literal 1.5 is a number: as an integer it would be another type than its neighbour.
  if (typeof value === 'number') return { kind: 'double' };
  return json;
}

function listType({ items, prefixItems }: JsonObject, depth: number): ColumnType {
  if (items === undefined || prefixItems !== undefined || typeof items !== 'object') return json;
  const item = typeOf(items, depth - 1);
  return item.kind === 'json' ? json : { kind: 'list', item };
}

function structType({ properties, additionalProperties, patternProperties }: JsonObject, depth: number): ColumnType {
  const isOpen = (additionalProperties !== undefined && additionalProperties !== false) || patternProperties !== undefined;
  if (isOpen || typeof properties !== 'object' || properties === null) return json;
  const entries = Object.entries(properties);
  // Parquet has no struct without fields, and a field of this name is nobody's property.
  if (entries.length === 0 || entries.some(([name]) => name === '__proto__' || name === '')) return json;
  return { kind: 'struct', fields: entries.map(([name, field]) => ({ name, type: typeOf(field, depth - 1) })) };
}

/** A type in a few letters: `string`, `list<struct<role: string, content: string>>`. */
export function typeName(type: ColumnType): string {
  if (type.kind === 'list') return `list<${typeName(type.item)}>`;
  if (type.kind === 'struct') return `struct<${type.fields.map((field) => `${field.name}: ${typeName(field.type)}`).join(', ')}>`;
  return type.kind;
}
