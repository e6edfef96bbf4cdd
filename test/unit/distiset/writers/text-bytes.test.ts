import { describe, expect, it } from 'vitest';
import { TextBytes } from '../../../../src/distiset/writers/text-bytes.ts';

const decoder = new TextDecoder();

describe("a column's texts as bytes", () => {
  it('are the same texts, including nulls, at every call', () => {
    const bytes = new TextBytes();
    for (const texts of [
      ['a', null, 'ä€😀', ''],
      ['longer than those before, all together'],
      ['x'.repeat(9 * 1024 * 1024), 'and one that has to be moved', '€'.repeat(9 * 1024 * 1024)],
      [],
      [null, null],
      ['b', 'c', 'b'],
    ]) {
      for (const text of texts) bytes.add(text);
      expect(bytes.take().map((each) => (each === null ? null : decoder.decode(each)))).toEqual(texts);
    }
  });
});
