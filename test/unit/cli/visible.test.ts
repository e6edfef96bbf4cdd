import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeLine, escapeJson, escapeText } from '../../../src/cli/visible.ts';

const code = (from: number, to: number) => fc.integer({ min: from, max: to }).map((point) => String.fromCodePoint(point));
/** Texts full of characters that act or hide, whole or torn apart. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      code(0, 0x9f),
      code(0x200b, 0x206f),
      code(0xd800, 0xdfff),
      code(0xfe00, 0xfe0f),
      code(0xe0000, 0xe01ef),
      fc.constantFrom('❤️', '👨‍👩‍👧', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'می‌خواهم', '\x1b[31m', '\x1b]52;c;eA==\x07', '\x9b2J', '\r\n'),
    ),
  )
  .map((parts) => parts.join(''));

/** What acts on a terminal, in whatever place it stands. */
const acts = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

describe('escaped text', () => {
  it('has no control characters, and escaping it again changes nothing', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = escapeLine(text);
        expect(line).not.toMatch(acts);
        expect(escapeLine(line)).toBe(line);
        const lines = escapeText(text);
        expect(lines.replaceAll(/[\n\t]/g, '')).not.toMatch(acts);
        expect(escapeText(lines)).toBe(lines);
      }),
    );
  });

  it('of JSON is JSON of the same value', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const json = escapeJson(JSON.stringify({ [text]: [text] }));
        expect(json).not.toMatch(acts);
        expect(JSON.parse(json)).toEqual({ [text]: [text] });
      }),
    );
  });

  it.each([
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['\x9b31m\x7f', '\\x9b31m\\x7f'],
    ['one\ntwo\tthree\rfour', 'one\\ntwo\\tthree\\rfour'],
    ['abc\u202etxt.exe', 'abc\\u{202e}txt.exe'],
    ['pass\u200bword', 'pass\\u{200b}word'],
    ['a\u{e0068}\u{e0069}', 'a\\u{e0068}\\u{e0069}'],
    ['a\ufe0f\ufe01', 'a\\u{fe0f}\\u{fe01}'],
    ['\ud83d', '\\u{d83d}'],
    ['soft\u00adhyphen', 'soft\\xadhyphen'],
  ])('shows what hides in %j', (text, shown) => {
    expect(escapeLine(text)).toBe(shown);
  });

  it.each(['naïve café', 'größer', '漢字とかな', '❤️ 👍🏽 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ 🇩🇪', 'می‌خواهم', 'क्‍ष', '葛󠄀城', 'a\u00a0b', '\\x1b'])(
    'leaves %s as it is',
    (text) => {
      expect(escapeLine(text)).toBe(text);
    },
  );

  it('keeps line breaks and tabs of a text of several lines', () => {
    expect(escapeText('one\r\ntwo\tthree\rfour\x1b[A')).toBe('one\ntwo\tthree\\rfour\\x1b[A');
  });
});
