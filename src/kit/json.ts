/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A JSON object: a row, an event's data. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * The one text of a JSON value: keys sorted by UTF-16 code units at every depth, `undefined` members dropped, `-0` as `0`, lone surrogates escaped
 * (RFC 8785 for all that JSON.parse can return). The same value has the same text on every machine, so texts can be hashed and compared.
 *
 * Throws a `TypeError` for what JSON cannot hold: NaN, infinities, bigints, functions, symbols, cycles, objects that are not plain (a Date, a Map).
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

const depthMax = 1000;

/** Texts of up to so many characters are looked through here: JSON.stringify is faster from there on. */
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
  if (!isSorted(keys)) keys.sort();
  let text = '{';
  for (const key of keys) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    text += text === '{' ? keyText(key) : `,${keyText(key)}`;
    text += write(member, depth + 1);
  }
  return `${text}}`;
}

function isSorted(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index++) if ((keys[index - 1] as string) > (keys[index] as string)) return false;
  return true;
}

/** Keys as they are written: most objects have the same few. */
const keyTexts = new Map<string, string>();
const keyTextsMax = 1_000;

function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(key)}:`;
  if (keyTexts.size < keyTextsMax && key.length <= shortMax) keyTexts.set(key, text);
  return text;
}
