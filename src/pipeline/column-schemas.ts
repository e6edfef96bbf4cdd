import { z } from 'zod';
import { hiddenPrefix, nameLengthMax } from '../../schema/index.ts';
import { messageOf } from '../kit/fault.ts';
import { canonicalJson, type JsonObject } from '../kit/json.ts';
import type { Columns } from './columns.ts';
import { refuse } from './refuse.ts';

/** A column and the JSON Schema (draft 2020-12) of its values. */
export interface Column {
  readonly name: string;
  readonly schema: JsonObject;
}

/** Maximum number of columns of a row. */
export const columnsMax = 2_000;

/** Reads the columns of a zod object. Refuses values that a row cannot hold. TypeScript refuses them too, but plain JavaScript also calls this. */
export function readColumns(output: Columns, location: { readonly step: string; readonly site: string }): readonly Column[] {
  if (!(output instanceof z.ZodObject) && (output as { _zod?: { def?: { type?: string } } } | undefined)?._zod?.def?.type !== 'object') {
    refuse('output must be a z.object({ … }), one member a column, without a transform around it.', location);
  }
  const { catchall } = output._zod.def as unknown as { readonly catchall?: z.core.$ZodType };
  if (catchall && catchall._zod.def.type !== 'never') refuse('columns must be named: no z.looseObject(), no .catchall().', location);
  const entries = Object.entries(output.shape as Readonly<Record<string, z.core.$ZodType>>);
  if (entries.length === 0) refuse('output has no column.', location);
  if (entries.length > columnsMax) refuse(`output has ${entries.length} columns; at most ${columnsMax} are stored.`, location);
  return entries.map(([name, schema]) => ({ name: checkName(name, location), schema: toColumnSchema(name, schema, location) }));
}

/** Returns a column name unchanged, or refuses it. */
export function checkName(name: string, location: { readonly step: string; readonly site: string }): string {
  if (name === '' || name === '__proto__' || name.length > nameLengthMax || name.includes('\u0000') || !name.isWellFormed()) {
    refuse(`${JSON.stringify(name)} cannot be a column's name: give one of 1 to ${nameLengthMax} characters.`, location);
  }
  if (name.startsWith(hiddenPrefix)) refuse(`column ${name}: names that begin with ${hiddenPrefix} are the engine's own.`, location);
  return name;
}

/** Returns the schema of a list whose items match one of these schemas. */
export const listSchema = (schemas: readonly JsonObject[]): JsonObject => ({ type: 'array', items: unionSchema(schemas) });

/** Returns the schema of a value that matches one of these schemas. */
export function unionSchema(schemas: readonly JsonObject[]): JsonObject {
  const different = [...new Map(schemas.map((schema) => [canonicalJson(schema), schema])).values()];
  const [only] = different;
  return different.length === 1 && only ? only : { anyOf: different };
}

/** Returns a schema that also accepts null. */
export const nullableSchema = (schema: JsonObject): JsonObject => unionSchema([schema, { type: 'null' }]);

/** Returns a schema that accepts the same values except null. */
export function nonNullSchema(schema: JsonObject): JsonObject {
  const { anyOf, ...others } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const left = (anyOf as readonly JsonObject[]).filter(({ type }) => type !== 'null').map(nonNullSchema);
  const [only] = left;
  return left.length === 1 && only ? { ...others, ...only } : { ...others, anyOf: left };
}

/** Returns whether every value of a column is a text or a number. */
export const isKeyColumn = ({ schema }: Column): boolean => isKeySchema(schema);

const keyTypes: readonly unknown[] = ['string', 'integer', 'number'];

function isKeySchema({ type, anyOf, oneOf }: JsonObject): boolean {
  const members = anyOf ?? oneOf;
  if (Array.isArray(members)) return (members as readonly JsonObject[]).every(isKeySchema);
  return Array.isArray(type) ? type.every((member) => keyTypes.includes(member)) : keyTypes.includes(type);
}

function toColumnSchema(name: string, schema: z.core.$ZodType, location: { readonly step: string; readonly site: string }): JsonObject {
  if (schema._zod.optout === 'optional')
    refuse(`column ${name} may be missing: a column is in every row, use .nullable() instead of .optional().`, location);
  const type = findUnstorable(schema);
  if (type !== null) refuse(`column ${name} ${type}.`, location);
  try {
    const { $schema: _draft, ...json } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'throw', cycles: 'ref' });
    return JSON.parse(JSON.stringify(json)) as JsonObject;
  } catch (error) {
    return refuse(`column ${name} cannot be written as JSON Schema (${messageOf(error)}): rows hold JSON only.`, location);
  }
}

const advice: Readonly<Record<string, string>> = {
  any: 'may be anything: use z.json()',
  unknown: 'may be anything: use z.json()',
  date: 'is a Date: use z.iso.datetime()',
  bigint: 'is a bigint: use z.int() or z.string()',
  transform: 'ends in a transform, so its output type is unknown: end it in a pipe, for example .pipe(z.string())',
  map: 'is a Map: use z.record()',
  set: 'is a Set: use z.array()',
  undefined: 'may be undefined: use .nullable()',
  void: 'may be undefined: use .nullable()',
  symbol: 'is a symbol: rows hold JSON only',
  nan: 'is NaN: rows hold JSON only',
  file: 'is a file: rows hold JSON only',
  function: 'is a function: rows hold JSON only',
  promise: 'is a promise: rows hold values',
  custom: 'is of a custom type: give a schema of JSON',
};

/** The members of a zod definition that decide its output. */
interface Parts {
  readonly type: string;
  readonly out?: z.core.$ZodType;
  readonly getter?: () => z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly options?: readonly z.core.$ZodType[];
  readonly items?: readonly z.core.$ZodType[];
  readonly element?: z.core.$ZodType;
  readonly rest?: z.core.$ZodType | null;
  readonly innerType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly catchall?: z.core.$ZodType;
  readonly left?: z.core.$ZodType;
  readonly right?: z.core.$ZodType;
}

/** Finds the first part of a schema that is not JSON. Returns the advice on what to write instead, or null. */
function findUnstorable(schema: z.core.$ZodType, seen = new Set<z.core.$ZodType>()): string | null {
  if (seen.has(schema)) return null;
  seen.add(schema);
  const parts = schema._zod.def as unknown as Parts;
  if (advice[parts.type] !== undefined) return advice[parts.type] ?? null;
  const listed = [...(parts.items ?? []), parts.element, parts.rest].filter((schema) => schema !== undefined && schema !== null);
  if (listed.some(({ _zod }) => _zod.optout === 'optional')) return 'holds a list with undefined in it: use .nullable() there';
  const { out, getter, innerType, valueType, catchall, left, right, options = [], shape = {} } = parts;
  if (Object.hasOwn(shape, '__proto__')) return 'has a member called __proto__, which cannot be stored: rename it';
  const children = [out, getter?.(), innerType, valueType, catchall, left, right, ...options, ...listed, ...Object.values(shape)];
  for (const child of children) {
    const found = child ? findUnstorable(child, seen) : null;
    if (found !== null) return found;
  }
  return null;
}
