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

/** Columns of a row. */
export const columnsMax = 2_000;

/** The columns of a zod object as data. Refuses what a row cannot hold, though TypeScript should have: plain JavaScript gets here too. */
export function columnsOf(output: Columns, where: { readonly step: string; readonly site: string }): readonly Column[] {
  if (!(output instanceof z.ZodObject) && (output as { _zod?: { def?: { type?: string } } } | undefined)?._zod?.def?.type !== 'object') {
    refuse('output must be a z.object({ … }), one member a column, without a transform around it.', where);
  }
  const { catchall } = output._zod.def as unknown as { readonly catchall?: z.core.$ZodType };
  if (catchall && catchall._zod.def.type !== 'never') refuse('columns must be named: no z.looseObject(), no .catchall().', where);
  const entries = Object.entries(output.shape as Readonly<Record<string, z.core.$ZodType>>);
  if (entries.length === 0) refuse('output has no column.', where);
  if (entries.length > columnsMax) refuse(`output has ${entries.length} columns; at most ${columnsMax} are stored.`, where);
  return entries.map(([name, schema]) => ({ name: checkedName(name, where), schema: columnSchema(name, schema, where) }));
}

export function checkedName(name: string, where: { readonly step: string; readonly site: string }): string {
  if (name === '' || name === '__proto__' || name.length > nameLengthMax || name.includes('\u0000') || !name.isWellFormed()) {
    refuse(`${JSON.stringify(name)} cannot be a column's name: give one of 1 to ${nameLengthMax} characters.`, where);
  }
  if (name.startsWith(hiddenPrefix)) refuse(`column ${name}: names that begin with ${hiddenPrefix} are the engine's own.`, where);
  return name;
}

/** The schema of a column that is a list of values of these schemas. */
export const listOf = (schemas: readonly JsonObject[]): JsonObject => ({ type: 'array', items: eitherOf(schemas) });

/** The schema of a value that fits one of these. */
export function eitherOf(schemas: readonly JsonObject[]): JsonObject {
  const different = [...new Map(schemas.map((schema) => [canonicalJson(schema), schema])).values()];
  const [only] = different;
  return different.length === 1 && only ? only : { anyOf: different };
}

/** The same schema, with null let in. */
export const orNull = (schema: JsonObject): JsonObject => eitherOf([schema, { type: 'null' }]);

/** The same schema, with null kept out. */
export function notNull(schema: JsonObject): JsonObject {
  const { anyOf, ...others } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const left = (anyOf as readonly JsonObject[]).filter(({ type }) => type !== 'null').map(notNull);
  const [only] = left;
  return left.length === 1 && only ? { ...others, ...only } : { ...others, anyOf: left };
}

/** Returns whether every value of a column is a text or a number. */
export const isKeyColumn = ({ schema }: Column): boolean => isKeySchema(schema);

const keyTypes: readonly unknown[] = ['string', 'integer', 'number'];

function isKeySchema({ type, anyOf, oneOf }: JsonObject): boolean {
  const members = anyOf ?? oneOf;
  if (Array.isArray(members)) return (members as readonly JsonObject[]).every(isKeySchema);
  return Array.isArray(type) ? type.every((each) => keyTypes.includes(each)) : keyTypes.includes(type);
}

function columnSchema(name: string, schema: z.core.$ZodType, where: { readonly step: string; readonly site: string }): JsonObject {
  if (schema._zod.optout === 'optional')
    refuse(`column ${name} may be missing: a column is in every row, use .nullable() instead of .optional().`, where);
  const type = firstUnstorable(schema);
  if (type !== null) refuse(`column ${name} ${type}.`, where);
  try {
    const { $schema: _draft, ...json } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'throw', cycles: 'ref' });
    return JSON.parse(JSON.stringify(json)) as JsonObject;
  } catch (error) {
    return refuse(`column ${name} cannot be written as JSON Schema (${messageOf(error)}): rows hold JSON only.`, where);
  }
}

const advice: Readonly<Record<string, string>> = {
  any: 'may be anything: use z.json()',
  unknown: 'may be anything: use z.json()',
  date: 'is a Date: use z.iso.datetime()',
  bigint: 'is a bigint: use z.int() or z.string()',
  transform: 'ends in a transform: what comes out of it is unknown, so end it in .pipe(z.string()), say',
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

/** The parts of a zod definition that tell what comes out of it. */
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

/** Looks through a schema for the first part that is not JSON, and says what to write instead. */
function firstUnstorable(schema: z.core.$ZodType, seen = new Set<z.core.$ZodType>()): string | null {
  if (seen.has(schema)) return null;
  seen.add(schema);
  const parts = schema._zod.def as unknown as Parts;
  if (advice[parts.type] !== undefined) return advice[parts.type] ?? null;
  const listed = [...(parts.items ?? []), parts.element, parts.rest].filter((each) => each !== undefined && each !== null);
  if (listed.some(({ _zod }) => _zod.optout === 'optional')) return 'holds a list with undefined in it: use .nullable() there';
  const { out, getter, innerType, valueType, catchall, left, right, options = [], shape = {} } = parts;
  if (Object.hasOwn(shape, '__proto__')) return 'has a member called __proto__, which cannot be kept: rename it';
  const children = [out, getter?.(), innerType, valueType, catchall, left, right, ...options, ...listed, ...Object.values(shape)];
  for (const child of children) {
    const found = child ? firstUnstorable(child, seen) : null;
    if (found !== null) return found;
  }
  return null;
}
