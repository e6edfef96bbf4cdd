import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '#kit/redactor';

describe('a redactor', () => {
  it('takes a secret out however it is written', () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 12, maxLength: 40 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(secret, fc.string({ maxLength: 8 }), (text, before) => {
        const redact = redactor([text], '[secret]');
        for (const write of [(all: string) => all, JSON.stringify, encodeURIComponent])
          expect(redact(write(text))).not.toContain(write(text));
        const coded = Buffer.from(`${before}:${text}:`);
        const sure = Math.ceil(((Buffer.byteLength(before) + 1) * 8) / 6);
        for (const encoding of ['base64', 'base64url'] as const)
          expect(redact(coded.toString(encoding))).not.toContain(coded.toString(encoding).slice(sure, sure + 10));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('leaves words alone that are too short to be a secret', () => {
    expect(redactor(['key', ''], '[secret]')('a key is a key')).toBe('a key is a key');
  });
});
