import { describe, expect, it } from 'vitest';
import { TextBytes } from '../../../../src/distiset/writers/text-bytes.ts';

const decoder = new TextDecoder();
const decoded = (bytes: readonly (Uint8Array | null)[] | null) => bytes?.map((each) => (each === null ? null : decoder.decode(each)));

describe("a column's texts as bytes", () => {
  it('are the same texts, nulls among them, as often as others are encoded after them', () => {
    const bytes = new TextBytes();
    for (const texts of [['a', null, 'ä€😀', ''], ['longer than those before, all together'], ['x'.repeat(9 * 1024 * 1024)], ['b', 'c']])
      expect(decoded(bytes.of(texts))).toEqual(texts);
  });

  it('are made where a few of them come again, too few for a dictionary', () => {
    const texts = ['again', ...Array.from({ length: 30 }, (_, n) => `text ${n}`), 'again'];
    expect(decoded(new TextBytes().of(texts))).toEqual(texts);
  });

  it('are left to a dictionary where they may come again, or where there are none', () => {
    const bytes = new TextBytes();
    expect(bytes.of(['a', 'b', 'a'])).toBeNull();
    expect(bytes.of([null, null])).toBeNull();
    expect(bytes.of([])).toBeNull();
  });
});
