import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../src/kit/sha256.ts';
import { LinesHash } from '../../../../src/distiset/writers/lines-hash.ts';

describe('the hash of lines', () => {
  it.each([
    ['none', []],
    ['a few', ['{"n":1}', '{"text":"ä€😀"}']],
    ['so many that they are hashed in parts', Array.from({ length: 5_000 }, (_, n) => `{"n":${n},"text":"${'€'.repeat(n % 50)}"}`)],
    ['a very long one', [`"${'😀'.repeat(100_000)}"`]],
  ])('is that of the whole text: %s', (_name, lines) => {
    const hash = new LinesHash();
    for (const line of lines) hash.add(line);
    const text = lines.map((line) => `${line}\n`).join('');
    expect(hash.end()).toEqual({ bytes: Buffer.byteLength(text), sha256: sha256(text) });
  });
});
