/** Escapes a text to one line: every control character and hidden character becomes its escape, including line breaks and tabs: `\x1b`, `\n`. */
export const escapeLine = (text: string): string =>
  escapeHidden(text, (character) => (isBreak(character) ? breaks[character] : escapeOf(character)));

/** Escapes a text of several lines: keeps line breaks and tabs, and replaces every other control character and hidden character by its escape. */
export const escapeText = (text: string): string =>
  escapeHidden(text.replaceAll('\r\n', '\n'), (character) => (isBreak(character) ? character : escapeOf(character)));

/** Returns JSON of the same value in which control characters and hidden characters are JSON escapes. */
export const escapeJson = (json: string): string => escapeHidden(json, jsonEscapeOf);

/**
 * Control characters (C0, DEL, C1), format characters (bidi controls, zero-width characters, tags), lone surrogates, separators of lines and paragraphs, and
 * all default-ignorable characters of Unicode. Excludes the format characters that are visible: signs that enclose digits.
 */
const hidden =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]]/v;

/** Hidden characters that affect visible ones and are kept: in emoji, between letters of joining scripts, after an ideograph. */
const keptCharacters = [
  /(?=[\p{Extended_Pictographic}\p{Regional_Indicator}#*0-9])\p{RGI_Emoji}/v,
  /[\ufe0e\ufe0f](?<=\p{Extended_Pictographic}.)(?!\p{Variation_Selector})/v,
  /[\ufe00-\ufe02\u{e0100}-\u{e01ef}](?<=\p{Ideographic}.)(?!\p{Variation_Selector})/v,
  /[\u200c\u200d](?<=[[\p{L}\p{M}]&&[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}]].)(?=[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}])/v,
  /[\u200c\u200d](?<=[\p{M}&&[\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}]].)(?![\u200c\u200d])/v,
];
const hiddenPattern = new RegExp(`${keptCharacters.map(({ source }) => source).join('|')}|(${hidden.source})`, 'gv');

function escapeHidden(text: string, escape: (character: string) => string): string {
  if (!hidden.test(text)) return text;
  return text.replaceAll(hiddenPattern, (found: string, character: string | undefined) =>
    character === undefined ? found : escape(character),
  );
}

const breaks = { '\n': '\\n', '\t': '\\t' } as const;
const isBreak = (character: string): character is keyof typeof breaks => character in breaks;

/** Returns the JavaScript escape of a character: `\r`, `\x1b`, `\u{202e}`. */
function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\r') return '\\r';
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

const jsonEscapeOf = (character: string): string =>
  Array.from({ length: character.length }, (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`).join('');
