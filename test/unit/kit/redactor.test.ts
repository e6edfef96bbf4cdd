import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '../../../src/kit/redactor.ts';

const mask = '[secret]';
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
const inForm = (text: string): string => new URLSearchParams({ v: text }).toString().slice(2);
const wrapped = (text: string, width: number, end: string): string => text.match(new RegExp(`[^]{1,${width}}`, 'gu'))?.join(end) ?? '';
const escapedUnits = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
const entities = (text: string, write: (point: number) => string): string =>
  Array.from(text, (character) => write(character.codePointAt(0) ?? 0)).join('');
const everyByte = (text: string): string => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Encodings of a text. */
const ways: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  JSON: inJson,
  'JSON within JSON': (text) => inJson(inJson(text)),
  'JSON within JSON within JSON': (text) => inJson(inJson(inJson(text))),
  'a component of a URL': encodeURIComponent,
  'a component of a URL, in lower case': (text) => encodeURIComponent(text).replaceAll(/%../g, (escape) => escape.toLowerCase()),
  'a form': inForm,
  'a form within JSON': (text) => inJson(inForm(text)),
  'JSON within a form': (text) => inForm(inJson(text)),
  'every byte in per cent': everyByte,
  'every byte in per cent, in upper case': (text) => everyByte(text).toUpperCase(),
  'a URL within a URL': (text) => encodeURIComponent(encodeURIComponent(text)),
  '\\u escapes': escapedUnits,
  'entities by name': (text) => text.replaceAll(/[&<>"']/g, (character) => named[character] ?? character),
  'entities by number': (text) => entities(text, (point) => `&#${point};`),
  'entities in hexadecimal': (text) => entities(text, (point) => `&#x${point.toString(16).toUpperCase()};`),
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
  'hexadecimal in upper case': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'hexadecimal between colons': (text) => wrapped(Buffer.from(text).toString('hex'), 2, ':'),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 of what follows a user': (text) => Buffer.from(`user:${text}`).toString('base64'),
  'wrapped base64': (text) => wrapped(Buffer.from(text).toString('base64'), 19, '\r\n'),
  'wrapped base64 within JSON': (text) => inJson(wrapped(Buffer.from(text).toString('base64'), 7, '\n')),
  'base64 within base64': (text) => Buffer.from(Buffer.from(`a:${text}`).toString('base64')).toString('base64'),
  'base64 of JSON': (text) => Buffer.from(inJson(text)).toString('base64'),
  'base64 in a URL': (text) => encodeURIComponent(Buffer.from(text).toString('base64')),
  'UTF-16': (text) => Buffer.from(text, 'utf16le').toString('latin1'),
  'UTF-16 in base64': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'UTF-16 in hexadecimal': (text) => Buffer.from(text, 'utf16le').toString('hex'),
};

const secrets = fc
  .string({ unit: 'grapheme', minLength: 12, maxLength: 40 })
  .filter((text) => text.isWellFormed() && !text.includes('\u0000'));
const keys = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ0189-_./+')), minLength: 10, maxLength: 60 });

/** Returns whether at least `enough` consecutive characters of a text are left in its redacted form. */
function leaks(text: string, redacted: string, enough: number): boolean {
  for (let at = 0; at + enough <= text.length; at++) if (redacted.includes(text.slice(at, at + enough))) return true;
  return false;
}

describe('a redactor', () => {
  it.each(Object.entries(ways))('removes a secret that is written in %s', (way, write) => {
    fc.assert(
      fc.property(
        way === 'UTF-16' ? keys : fc.oneof(keys, secrets),
        fc.string({ unit: fc.constantFrom(...Array.from('xyz =:"')), maxLength: 6 }),
        (secret, around) => {
          const written = write(secret);
          const text = `${around} ${written} ${around}`;
          const redacted = redactor([secret], mask)(text);
          expect(redacted).toContain(mask);
          expect(leaks(written, redacted, Math.min(written.length, 10))).toBe(false);
        },
      ),
      { seed: 14, numRuns: 200 },
    );
  });

  it('leaves the rest of a text unchanged', () => {
    const redact = redactor(['sk-1234567890'], mask);
    expect(redact('Bearer sk-1234567890, and 100% of "it" &amp; more\n')).toBe('Bearer [secret], and 100% of "it" &amp; more\n');
    expect(redact('ü 🙂 sk-1234567890 🙂 ü')).toBe('ü 🙂 [secret] 🙂 ü');
    expect(redact(JSON.stringify({ key: 'sk-1234567890', n: 1 }))).toBe('{"key":"[secret]","n":1}');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(redactor(['no such secret anywhere'], mask)(text)).toBe(text);
      }),
      { seed: 14 },
    );
  });

  it('removes the rest of a secret at a cut of the text', () => {
    const secret = 'sk-proj-0123456789abcdef';
    const redact = redactor([secret], mask);
    for (let length = 8; length < secret.length; length++) {
      expect(redact(`wrong: ${secret.slice(0, length)}`)).toBe(`wrong: ${mask}`);
      expect(redact(`got "${secret.slice(0, length)}…", and more`)).toBe(`got "${mask}…", and more`);
      expect(redact(`${secret.slice(-length)} was cut before`)).toBe(`${mask} was cut before`);
    }
  });

  it('removes a secret that crosses the end of the part that is kept', () => {
    const secret = 'sk-proj-0123456789abcdef';
    const redact = redactor([secret], mask);
    for (let before = 975; before < 1_001; before++) {
      const text = 'x'.repeat(before) + secret + 'y'.repeat(10_000);
      const redacted = redact(text, 1_000);
      expect(leaks(secret, redacted, 4)).toBe(false);
      expect(redacted.length).toBeLessThan(1_100);
      expect(redacted).toContain(`(${text.length} characters)`);
    }
    expect(leaks(secret, redact(secret.repeat(10_000), 64 * 1024), 4)).toBe(false);
  });

  it('removes a secret that crosses two of the windows in which a long text is searched', () => {
    const secret = 'sk-proj-0123456789abcdef';
    const redact = redactor([secret], mask);
    for (const write of [ways['as it is'], ways['every byte in per cent'], ways['base64']]) {
      const written = write?.(secret) ?? '';
      for (let at = 64 * 1024 - written.length - 2; at < 64 * 1024 + 2; at++)
        expect(redact(`${'-'.repeat(at)} ${written} end`)).toBe(`${'-'.repeat(at)} ${mask} end`);
    }
  });

  it('takes time that depends only on the length of a text', () => {
    const redact = redactor(['%25%25%25%25%25%25', 'a'.repeat(200), '\\\\\\\\\\\\\\\\', '&amp;&amp;&amp;'], mask);
    const length = 400_000;
    for (const unit of ['%', '%2', '%25', '\\', '\\u', '\\u005c', '&', '&amp;', 'a', '+', '…', ' ', ':', '\u0000', '&#x26;', '%5Cu0025'])
      expect(redact(unit.repeat(length / unit.length)).length).toBeLessThanOrEqual(length);
  });

  it('ignores secrets that are too short', () => {
    expect(redactor(['key', ''], mask)('a key is a key')).toBe('a key is a key');
  });
});
