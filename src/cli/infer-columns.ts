/** Members that an object may have before it counts as a record of one kind of values. */
const membersMax = 40;

/** Levels of objects and lists that are told apart. */
const depthMax = 6;

/** The zod type, as TypeScript, of which all these values are; `undefined` stands for a member that is missing. */
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
  const of = (name: string) =>
    objects.map((object) => (Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined));
  // Names that zod finds in every object, or that no object literal can have, are told as data.
  if (names.length === 0 || names.length > membersMax || names.some((name) => name in {})) {
    return `z.record(z.string(), ${inferType(
      objects.flatMap((object) => Object.values(object)),
      depth + 1,
    )})`;
  }
  return `z.object({ ${names.map((name) => `${memberName(name)}: ${inferType(of(name), depth + 1)}`).join(', ')} })`;
}

/** The zod type of a column of CSV texts; null stands for an empty field. */
export function inferTextType(texts: readonly (string | null)[]): string {
  const present = texts.filter((text) => text !== null);
  const type = textType(present);
  return texts.includes(null) && type !== json ? `${type}.nullable()` : type;
}

function textType(texts: readonly string[]): string {
  if (texts.length === 0) return 'z.string()';
  const all = (pattern: RegExp) => texts.every((text) => pattern.test(text));
  // Digits behind a leading zero are a code of some kind, not a number.
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

/** A name as an object literal has it. */
export const memberName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name));

/** A text as TypeScript, in single quotes. */
export const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", String.raw`\'`)}'`;
