import { takesOnlyText, takesText } from './column-kinds.ts';
import { kindOf, type Kind } from './json-schema.ts';

/** The value of a text, or what was expected instead. */
export type TextValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string };

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const booleans: Readonly<Record<string, boolean>> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

/**
 * Converts a text to a value of one of these kinds, or of any kind for null: a number, `true` or `false`, or JSON for lists and objects. For a column of texts
 * it returns the text. If the column also accepts other kinds, JSON of such a kind is parsed, and any other text is returned unchanged.
 */
export function textValue(text: string, kinds: ReadonlySet<Kind> | null): TextValue {
  if (takesOnlyText(kinds)) return { ok: true, value: text };
  if (kinds !== null && !takesText(kinds)) {
    const trimmed = text.trim();
    if ((kinds.has('number') || kinds.has('integer')) && numberPattern.test(trimmed)) return toNumber(trimmed, kinds);
    if (kinds.has('boolean') && booleans[trimmed] !== undefined) return { ok: true, value: booleans[trimmed] };
  }
  const value = parseJson(text);
  if (value !== undefined && (kinds === null || isKindOf(kindOf(value), kinds))) return { ok: true, value };
  return takesText(kinds) ? { ok: true, value: text } : { ok: false, expected: describeKinds(kinds ?? new Set()) };
}

function toNumber(text: string, kinds: ReadonlySet<Kind>): TextValue {
  const value = Number(text);
  if (!Number.isFinite(value)) return { ok: false, expected: 'a number that fits into 64 bits' };
  if (!kinds.has('number') && Number.isInteger(value) && !Number.isSafeInteger(value))
    return { ok: false, expected: 'an integer that a number holds exactly (use z.string() for longer ones)' };
  return kinds.has('number') || Number.isInteger(value) ? { ok: true, value } : { ok: false, expected: describeKinds(kinds) };
}

const isKindOf = (kind: Kind, kinds: ReadonlySet<Kind>): boolean => kinds.has(kind) || (kind === 'integer' && kinds.has('number'));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const kindNames: Readonly<Record<Kind, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  null: 'nothing',
  array: 'a list in JSON',
  object: 'an object in JSON',
};

const describeKinds = (kinds: ReadonlySet<Kind>): string => Array.from(kinds, (kind) => kindNames[kind]).join(' or ');
