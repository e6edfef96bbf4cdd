import { takesOnlyText, takesText } from './column-kinds.ts';
import { kindOf, type Kind } from './json-schema.ts';

/** A text as a column's value, or what was expected instead. */
export type TextValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string };

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const booleans: Readonly<Record<string, boolean>> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

/**
 * Reads a text as a value of one of these kinds (null: of any): a number, `true` or `false`, JSON for lists and objects. A column of texts takes it as it is; one that takes
 * other kinds too takes it as JSON if it is JSON of such a kind, else as it is.
 */
export function textValue(text: string, kinds: ReadonlySet<Kind> | null): TextValue {
  if (takesOnlyText(kinds)) return { ok: true, value: text };
  if (kinds !== null && !takesText(kinds)) {
    const trimmed = text.trim();
    if ((kinds.has('number') || kinds.has('integer')) && numberPattern.test(trimmed)) return numberOf(trimmed, kinds);
    if (kinds.has('boolean') && booleans[trimmed] !== undefined) return { ok: true, value: booleans[trimmed] };
  }
  const value = jsonOf(text);
  if (value !== undefined && (kinds === null || isOf(kindOf(value), kinds))) return { ok: true, value };
  return takesText(kinds) ? { ok: true, value: text } : { ok: false, expected: expectation(kinds ?? new Set()) };
}

function numberOf(text: string, kinds: ReadonlySet<Kind>): TextValue {
  const value = Number(text);
  if (!Number.isFinite(value)) return { ok: false, expected: 'a number that 64 bits hold' };
  if (!kinds.has('number') && Number.isInteger(value) && !Number.isSafeInteger(value))
    return { ok: false, expected: 'an integer that a number holds exactly (use z.string() for longer ones)' };
  return kinds.has('number') || Number.isInteger(value) ? { ok: true, value } : { ok: false, expected: expectation(kinds) };
}

const isOf = (kind: Kind, kinds: ReadonlySet<Kind>): boolean => kinds.has(kind) || (kind === 'integer' && kinds.has('number'));

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<Kind, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  null: 'nothing',
  array: 'a list in JSON',
  object: 'an object in JSON',
};

const expectation = (kinds: ReadonlySet<Kind>): string => Array.from(kinds, (kind) => words[kind]).join(' or ');
