import { textValue } from '../steps/index.ts';

/** Members up to which objects are typed member by member. Objects with more are records of one value type. */
const membersMax = 40;

/** Levels of nested objects and lists that get types of their own. */
const depthMax = 6;

/**
 * Returns the zod type, as TypeScript, that all values have. The value `undefined` stands for a missing member. A bigint stands for an integer that a number
 * does not hold: such integers are mostly identifiers, and `z.string()` reads their digits.
 */
export function inferType(values: readonly unknown[], depth = 0): string {
  const present = values.filter((value) => value !== undefined && value !== null);
  const type = typeOf(present, depth);
  const isNullable = values.includes(null) && type !== json;
  return `${type}${isNullable ? '.nullable()' : ''}${depth > 0 && values.includes(undefined) ? '.optional()' : ''}`;
}

const json = 'z.json()';

function typeOf(values: readonly unknown[], depth: number): string {
  if (values.length === 0) return json;
  if (values.every((value) => typeof value === 'string')) return 'z.string()';
  if (values.every((value) => Number.isSafeInteger(value))) return 'z.int()';
  const hasBigint = values.some((value) => typeof value === 'bigint');
  if (hasBigint && values.every((value) => typeof value === 'bigint' || typeof value === 'string')) return 'z.string()';
  if (hasBigint && values.every((value) => typeof value === 'bigint' || typeof value === 'string' || Number.isSafeInteger(value)))
    return 'z.union([z.string(), z.int()])';
  if (values.every((value) => typeof value === 'number' || typeof value === 'bigint')) return 'z.number()';
  if (values.every((value) => typeof value === 'boolean')) return 'z.boolean()';
  if (depth >= depthMax) return json;
  if (values.every(Array.isArray)) return `z.array(${inferType(values.flat(1), depth + 1)})`;
  if (values.every((value) => typeof value === 'object' && !Array.isArray(value))) return objectType(values as readonly object[], depth);
  return json;
}

function objectType(objects: readonly object[], depth: number): string {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  const valuesOf = (name: string) =>
    objects.map((object) => (Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined));
  // Names that zod finds in every object, or that no object literal can have, are typed as data of a record.
  if (names.length === 0 || names.length > membersMax || names.some((name) => name in {})) {
    return `z.record(z.string(), ${inferType(
      objects.flatMap((object) => Object.values(object)),
      depth + 1,
    )})`;
  }
  return `z.object({ ${names.map((name) => `${memberName(name)}: ${inferType(valuesOf(name), depth + 1)}`).join(', ')} })`;
}

/** Returns the zod type of a column of CSV texts. The value null stands for an empty field. */
export function inferTextType(texts: readonly (string | null)[]): string {
  const present = texts.filter((text) => text !== null);
  const type = textType(present);
  return texts.includes(null) && type !== json ? `${type}.nullable()` : type;
}

function textType(texts: readonly string[]): string {
  if (texts.length === 0) return 'z.string()';
  // The reader of CSV files decides what a number is, so that it accepts every sampled row.
  const areAll = (kind: 'integer' | 'number' | 'boolean') => texts.every((text) => textValue(text, new Set([kind])).ok);
  if (texts.every((text) => /^\s*-?\d+\s*$/.test(text))) return areAll('integer') ? 'z.int()' : 'z.string()';
  if (areAll('number')) return 'z.number()';
  if (areAll('boolean')) return 'z.boolean()';
  if (!texts.every((text) => /^[[{]/.test(text))) return 'z.string()';
  const values = texts.map((text) => textValue(text, new Set(['array', 'object'])));
  return values.every((read) => read.ok) ? inferType(values.map(({ value }) => value)) : 'z.string()';
}

/** Returns a name as an object literal spells it. */
export const memberName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name));

/** Returns a text as a TypeScript literal in single quotes. */
export const quote = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", String.raw`\'`)}'`;
