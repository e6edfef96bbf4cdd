import { canonicalJson, type Json } from '../../kit/json.ts';

/**
 * Lists the differences between two JSON values, each leaf with its path: `configs[0].rows is 11, and the log gives 10`. Members that only one of them has
 * are listed, too.
 */
export function jsonDifferences(said: unknown, expected: Json | undefined, path = ''): readonly string[] {
  if (isObject(said) && isObject(expected)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(said)])];
    return keys.flatMap((key) => jsonDifferences(member(said, key), member(expected, key), path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(said) && Array.isArray(expected)) {
    const length = Math.max(said.length, expected.length);
    const differencesAt = (index: number) => jsonDifferences(said[index], expected[index] as Json | undefined, `${path}[${index}]`);
    return Array.from({ length }, (_, index) => differencesAt(index)).flat();
  }
  if (said === undefined) return expected === undefined ? [] : [`${path} is missing, and the log gives ${shown(expected)}`];
  if (expected === undefined) return [`${path} is ${shown(said)}, but an export does not write it`];
  return canonicalJson(said) === canonicalJson(expected) ? [] : [`${path} is ${shown(said)}, and the log gives ${shown(expected)}`];
}

const isObject = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const member = <Value>(object: { readonly [key: string]: Value }, key: string): Value | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

const shownMax = 80;

function shown(value: unknown): string {
  const text = canonicalJson(value);
  return text.length <= shownMax ? text : `${text.slice(0, shownMax).toWellFormed()}…`;
}
