import { canonicalJson, type Json } from '../kit/json.ts';

/** Result of reading a text: the value, or the reason why there is none. */
export type TextReading = { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'unclear'; readonly why: string };

/** Texts longer than this are read only if they are JSON as a whole. */
const searchedMax = 1_000_000;

/** Maximum number of brackets from which a text is read. */
const bracketsMax = 200;

/**
 * Reads the JSON of a model's answer: the text as a whole, or the only object in it after the model's reasoning, in prose, a code fence or tags.
 * Equal objects count as one. Does not choose between different objects, and takes no part of a value that is damaged.
 */
export function readJsonInText(text: string): TextReading {
  const whole = parse(text);
  if (whole !== undefined) return { kind: 'read', value: whole };
  const unread = { kind: 'unclear', why: 'it is not JSON' } as const;
  if (text.length > searchedMax) return unread;
  const all = findValues(text);
  const start = all && findAnswerStart(text, all);
  if (all === null || start === null || start === undefined) return unread;
  const answerText = text.slice(start);
  const inAnswer = parse(answerText);
  if (inAnswer !== undefined) return { kind: 'read', value: inAnswer };
  const found = start === 0 ? all : findValues(answerText);
  if (found === null || found.some(({ value }) => value === undefined)) return unread;
  const objects = new Map(found.flatMap(({ value }) => (Array.isArray(value) ? [] : [[keyOf(value), value]])));
  const [object] = objects.values();
  if (objects.size > 1) return { kind: 'unclear', why: `it contains ${objects.size} different JSON objects` };
  return object === undefined ? unread : { kind: 'read', value: object };
}

/** An object or array in a text, from `start` to before `end`. A damaged one has no value, and one that never ends has an empty range. */
interface FoundValue {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

/** A bracket that begins data, also in the manner of JavaScript or Python. Other brackets belong to prose. */
const beginsData = /^(?:\{\s*(?:["'}/]|[\w$]+\s*:)|\[\s*[[{"])/;

/** Returns the outermost objects and arrays of a text in order, or null if it has too many brackets. */
function findValues(text: string): readonly FoundValue[] | null {
  const found: FoundValue[] = [];
  const bracket = /[{[]/g;
  let tries = 0;
  for (let match = bracket.exec(text); match !== null; match = bracket.exec(text)) {
    if (++tries > bracketsMax) return null;
    const start = match.index;
    const end = findEnd(text, start);
    const value = end === -1 ? undefined : parse(text.slice(start, end));
    if (value !== undefined) found.push({ start, end, value });
    else if (beginsData.test(text.slice(start, start + 100))) found.push({ start, end: Math.max(start, end), value });
    else continue;
    bracket.lastIndex = Math.max(start + 1, end);
  }
  return found;
}

/** Returns the position after the bracket that closes the one at `start`, or -1. Brackets in strings do not count. The time is linear, because a string may also end with the text. */
function findEnd(text: string, start: number): number {
  const token = /"[^"\\]*(?:\\.[^"\\]*)*\\?(?:"|$)|[{}[\]]/gs;
  token.lastIndex = start;
  let depth = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') depth++;
    else if (found === '}' || found === ']') depth--;
    if (depth === 0) return token.lastIndex;
  }
  return -1;
}

/**
 * Returns the position after the model's reasoning, 0 if there is none, or null if the reasoning never ends. Some templates write only its closing tag. A tag
 * in a value or in code is text.
 */
function findAnswerStart(text: string, values: readonly FoundValue[]): number | null {
  for (const { index, 0: tag } of text.matchAll(/(?<!`)<\/think(?:ing)?>(?!`)/g)) {
    const isInValue = values.some(({ start, end }) => start < index && index < end);
    const isInFence = text.slice(0, index).split('```').length % 2 === 0;
    if (!isInValue && !isInFence) return index + tag.length;
  }
  return /^\s*<think(?:ing)?>/.test(text) ? null : 0;
}

/** Returns the same key for equal values. A value that cannot be stored, such as 1e400, equals only itself. */
function keyOf(value: unknown): unknown {
  try {
    return canonicalJson(value as Json);
  } catch {
    return value;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
