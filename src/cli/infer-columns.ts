/** Members up to which objects are typed member by member. Objects with more are records of one value type. */
const membersMax = 40;

/** Levels of nested objects and lists that get types of their own. */
const depthMax = 6;

/** Returns the zod type, as TypeScript, that all values have. The value `undefined` stands for a missing member. */
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
  if (values.every((value) => typeof value === 'number')) return 'z.number()';
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
  const all = (pattern: RegExp) => texts.every((text) => pattern.test(text));
  // Digits after a leading zero are a code, not a number.
  if (all(/^-?(?:0|[1-9]\d*)$/)) return texts.every((text) => Number.isSafeInteger(Number(text))) ? 'z.int()' : 'z.string()';
  if (all(/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/) && texts.every((text) => Number.isFinite(Number(text)))) return 'z.number()';
  if (all(/^(?:true|false|True|False|TRUE|FALSE)$/)) return 'z.boolean()';
  if (!all(/^[[{]/)) return 'z.string()';
  try {
    return inferType(texts.map((text) => JSON.parse(text) as unknown));
  } catch {
    return 'z.string()';
  }
}

/** Returns a name as an object literal spells it. */
export const memberName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name));

/** Returns a text as a TypeScript literal in single quotes. */
export const quote = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", String.raw`\'`)}'`;
