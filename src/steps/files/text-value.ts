import { takesOnlyText, takesText } from './column-kinds.ts';
import { kindOf, type Kind } from './json-schema.ts';
import { isExact, LongNumber, parseWithLongNumbers } from './long-number.ts';
import { settleNumber } from './settle-numbers.ts';

/** The value of a text, or what was expected instead. */
export type TextValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string };

/** A number as JSON writes it. `007` and `+49` are codes, and must keep their characters. */
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const integerPattern = /^-?\d+$/;
const booleans: Readonly<Record<string, boolean>> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

/**
 * Converts a text to a value of one of these kinds, or of any kind if `kinds` is null: a number, `true` or `false`, or JSON for lists and objects. For a column of texts
 * it returns the text. If the column also accepts other kinds, JSON of such a kind is parsed, and any other text is returned unchanged. A number is converted
 * only if JSON writes it this way and the conversion loses no digit; an integer has no exponent.
 */
export function textValue(text: string, kinds: ReadonlySet<Kind> | null): TextValue {
  if (takesOnlyText(kinds)) return { ok: true, value: text };
  if (kinds !== null && !takesText(kinds)) {
    const trimmed = text.trim();
    if ((kinds.has('number') || kinds.has('integer')) && numberPattern.test(trimmed)) return toNumber(trimmed, kinds);
    if (kinds.has('boolean') && booleans[trimmed] !== undefined) return { ok: true, value: booleans[trimmed] };
  }
  const value = parseJson(text);
  const isAccepted = value !== undefined && (kinds === null || isKindOf(kindOf(value), kinds));
  // A column of texts and integers keeps `1.0` and `1e3` as texts.
  const isOtherText = typeof value === 'number' && takesText(kinds) && kinds?.has('number') === false && !integerPattern.test(text.trim());
  if (isAccepted && !isOtherText && !(value instanceof LongNumber)) return { ok: true, value };
  if (takesText(kinds)) return { ok: true, value: text };
  if (value instanceof LongNumber) return { ok: false, expected: `numbers that are held exactly, and ${value.text} is not` };
  return { ok: false, expected: describeKinds(kinds ?? new Set()) };
}

function toNumber(text: string, kinds: ReadonlySet<Kind>): TextValue {
  const value = Number(text);
  if (!Number.isFinite(value)) return { ok: false, expected: 'a number that fits into 64 bits' };
  if (!kinds.has('number') && Number.isInteger(value) && !Number.isSafeInteger(value))
    return { ok: false, expected: 'an integer that a number holds exactly (use z.string() for longer ones)' };
  if (!isExact(text)) return { ok: false, expected: 'a number that is held exactly (use z.string() for more digits)' };
  if (kinds.has('number')) return { ok: true, value };
  return Number.isInteger(value) && !/e/i.test(text) ? { ok: true, value } : { ok: false, expected: describeKinds(kinds) };
}

const isKindOf = (kind: Kind, kinds: ReadonlySet<Kind>): boolean => kinds.has(kind) || (kind === 'integer' && kinds.has('number'));

/** Parses JSON. Returns undefined for other texts, and the first number that is not held exactly. */
function parseJson(text: string): unknown {
  try {
    return settleNumber(parseWithLongNumbers(text), undefined);
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
