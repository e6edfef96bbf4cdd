/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A JSON object: a row, an event's data. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * Returns the canonical text of a JSON value: keys sorted by UTF-16 code units at every depth, `undefined` members dropped, `-0` as `0`, lone surrogates
 * escaped (RFC 8785 for everything that JSON.parse can return). The same value has the same text on every machine, so texts can be hashed and compared.
 *
 * Throws a `TypeError` for values that JSON cannot hold: NaN, infinities, bigints, functions, symbols, cycles, objects that are not plain (a Date, a Map).
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/**
 * Finds a key called `__proto__` in a value, at any depth. Returns its path, such as `.a[0]`, or null. Libraries that check and read rows build objects key
 * by key, and drop this key silently.
 */
export function prototypeKeyIn(value: unknown, depth = 0): string | null {
  // Deeper or circular values are not JSON, and are refused for that elsewhere.
  if (typeof value !== 'object' || value === null || depth > depthMax) return null;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const within = prototypeKeyIn(value[index], depth + 1);
      if (within !== null) return `[${index}]${within}`;
    }
    return null;
  }
  if (Object.hasOwn(value, '__proto__')) return '';
  for (const key of Object.keys(value)) {
    const within = prototypeKeyIn((value as Readonly<Record<string, unknown>>)[key], depth + 1);
    if (within !== null) return `.${key}${within}`;
  }
  return null;
}

const depthMax = 1000;

/** Characters up to which a text is checked here. JSON.stringify is faster for longer ones. */
const shortMax = 40;
const needsNoEscape = /^[ !#-[\]-~]*$/;

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return value.length <= shortMax && needsNoEscape.test(value) ? `"${value}"` : JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth > depthMax) throw new TypeError(`nested more than ${depthMax} deep, or circular`);
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new TypeError(`a ${typeof value} is not JSON`);
  }
}

function writeArray(values: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ',';
    text += write(values[index], depth + 1);
  }
  return `${text}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError(`a ${value.constructor?.name || 'class instance'} is not JSON`);
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return '{}';
  const { sorted, texts } = layoutOf(keys);
  let text = '{';
  for (let index = 0; index < sorted.length; index++) {
    const member = (value as Readonly<Record<string, unknown>>)[sorted[index] as string];
    if (member === undefined) continue;
    text += text === '{' ? texts[index] : `,${texts[index]}`;
    text += write(member, depth + 1);
  }
  return `${text}}`;
}

/** Layout of objects with the same keys in the same order. Most objects have one of a few layouts, in thousands one after the other. */
interface Layout {
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
  /** Text before the member of each sorted key. */
  readonly texts: readonly string[];
}

/** The last layout of each first key. */
const layouts = new Map<string, Layout>();
const layoutsMax = 1_000;
const layoutKeysMax = 100;

function layoutOf(keys: readonly string[]): Layout {
  const first = keys[0] as string;
  const known = layouts.get(first);
  if (known !== undefined && areSame(known.keys, keys)) return known;
  const sorted = keys.toSorted();
  const layout = { keys, sorted, texts: sorted.map(keyText) };
  const isSmall = keys.length <= layoutKeysMax && keys.every(({ length }) => length <= shortMax);
  if (isSmall && (known !== undefined || layouts.size < layoutsMax)) layouts.set(first, layout);
  return layout;
}

function areSame(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let index = 0; index < keys.length; index++) if (keys[index] !== others[index]) return false;
  return true;
}

/** Texts of keys. Most objects have the same few keys. */
const keyTexts = new Map<string, string>();
const keyTextsMax = 1_000;

function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(key)}:`;
  if (keyTexts.size < keyTextsMax && key.length <= shortMax) keyTexts.set(key, text);
  return text;
}
