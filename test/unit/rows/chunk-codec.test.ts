import { describe, expect, it } from 'vitest';
import { ChunkBuilder, decodeChunk } from '#rows';

describe('a chunk of rows', () => {
  it('is corrupted where it does not have the rows that its event says', () => {
    const builder = new ChunkBuilder(['n'], true);
    for (const [row, value] of ['1', '2', '3'].entries()) builder.add([value], row, 1);
    const { bytes } = builder.take(0).chunk;
    expect(decodeChunk(bytes, 3).columns.get('n')).toEqual([1, 2, 3]);
    expect(decodeChunk(bytes).count).toBe(3);
    expect(() => decodeChunk(bytes, 4)).toThrow(expect.objectContaining({ code: 'chunk-corrupted' }) as Error);
  });
});
