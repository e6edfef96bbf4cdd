/** Returns a text of data as one line: every character that acts on a terminal or hides is written as its escape, line breaks and tabs too: `\x1b`, `\n`. */
export const visible = (text: string): string =>
  escaped(text, (character) => (isBreak(character) ? breaks[character] : escapeOf(character)));

/** Returns a text of data with its line breaks and tabs; every other character that acts or hides is written as its escape. */
export const visibleText = (text: string): string =>
  escaped(text.replaceAll('\r\n', '\n'), (character) => (isBreak(character) ? character : escapeOf(character)));

/** Returns JSON of the same value in which no character acts or hides: those are written as JSON's own escapes. */
export const visibleJson = (json: string): string => escaped(json, jsonEscapeOf);

/**
 * Controls (C0, DEL, C1), format characters (bidi controls, zero-width ones, tags), lone surrogates, separators of lines and paragraphs, and all that
 * Unicode says shows nothing where it is not known. Without the format characters that are signs to be seen, which enclose digits.
 */
const hidden =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]]/v;

/** Hidden characters that belong to what is seen: in emoji, between letters of scripts that join, after an ideograph. */
const belonging = [
  /(?=[\p{Extended_Pictographic}\p{Regional_Indicator}#*0-9])\p{RGI_Emoji}/v,
  /[\ufe0e\ufe0f](?<=\p{Extended_Pictographic}.)(?!\p{Variation_Selector})/v,
  /[\ufe00-\ufe02\u{e0100}-\u{e01ef}](?<=\p{Ideographic}.)(?!\p{Variation_Selector})/v,
  /[\u200c\u200d](?<=[[\p{L}\p{M}]&&[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}]].)(?=[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}])/v,
  /[\u200c\u200d](?<=[\p{M}&&[\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}]].)(?![\u200c\u200d])/v,
];
const eachHidden = new RegExp(`${belonging.map(({ source }) => source).join('|')}|(${hidden.source})`, 'gv');

function escaped(text: string, escape: (character: string) => string): string {
  if (!hidden.test(text)) return text;
  return text.replaceAll(eachHidden, (found: string, character: string | undefined) =>
    character === undefined ? found : escape(character),
  );
}

const breaks = { '\n': '\\n', '\t': '\\t' } as const;
const isBreak = (character: string): character is keyof typeof breaks => character in breaks;

/** `\r`, `\x1b`, `\u{202e}`: as JavaScript writes it. */
function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\r') return '\\r';
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

const jsonEscapeOf = (character: string): string =>
  Array.from({ length: character.length }, (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`).join('');
