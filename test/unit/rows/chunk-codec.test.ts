import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ChunkBuilder, decodeChunk, decodeDocument, encodeValues, rowBytes } from '../../../src/rows/index.ts';
import { heapUsed } from '../heap-used.ts';

describe('a chunk of rows', () => {
  it('is corrupted if it does not have as many rows as its event says', () => {
    const builder = new ChunkBuilder(['n'], true);
    for (const [row, value] of ['1', '2', '3'].entries()) builder.add([value], row, 1);
    const { bytes } = builder.take(0).chunk;
    expect(decodeChunk(bytes, 3).columns.get('n')).toEqual([1, 2, 3]);
    expect(decodeChunk(bytes).count).toBe(3);
    expect(() => decodeChunk(bytes, 4)).toThrow(expect.objectContaining({ code: 'chunk-corrupted' }) as Error);
  });

  it('is refused with a message if a value is nested deeper than the stack', () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const corrupted = expect.objectContaining({ code: 'chunk-corrupted' }) as Error;
    expect(() => decodeChunk(Buffer.from(`{"columns":[["n",[${deep(500_000)}]]],"count":1}`))).toThrow(corrupted);
    expect(() => decodeDocument(Buffer.from(deep(500_000)), z.json())).toThrow(corrupted);
    // The deepest row that is allowed.
    expect(decodeChunk(Buffer.from(`{"columns":[["n",[${deep(1_001)}]]],"count":1}`)).count).toBe(1);
    expect(() => encodeValues([JSON.parse(deep(1_001))])).not.toThrow();
    expect(() => encodeValues([JSON.parse(deep(1_002))])).toThrow(/nested more than/);
  });
});

describe('an encoded row', () => {
  it('does not keep the large text alive that a short one was cut from', () => {
    const rows: (readonly string[])[] = [];
    const before = heapUsed();
    for (let row = 0; row < 50; row++) {
      const text = Buffer.from(String(row).padStart(1_000_000, 'x')).toString('latin1');
      const values = encodeValues([text.slice(-30), { inside: [text.slice(-25)] }]);
      rowBytes(values);
      rows.push(values);
    }
    expect(heapUsed() - before).toBeLessThan(10_000_000);
    expect(rows).toHaveLength(50);
  });
});
