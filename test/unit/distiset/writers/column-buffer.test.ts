import { describe, expect, it } from 'vitest';
import { createColumnBuffer } from '../../../../src/distiset/writers/column-buffer.ts';
import type { ColumnType } from '../../../../src/distiset/writers/column-type.ts';
import { heapUsed } from '../../heap-used.ts';

const filled = (type: ColumnType, count: number, valueOf: (n: number) => string | number) => {
  const column = createColumnBuffer(type, { count: 0 });
  for (let n = 0; n < count; n++) {
    const cell = JSON.stringify(valueOf(n));
    // As it comes out of a chunk: a text of its own.
    column.add(JSON.parse(cell) as string | number, cell);
  }
  return column;
};

describe('a column that is buffered for a row group', () => {
  it.each([
    ['texts', { kind: 'string' }, 10_000, (n: number) => `${n} `.repeat(300)],
    ['JSON', { kind: 'json' }, 10_000, (n: number) => `${n} `.repeat(300)],
    ['integers', { kind: 'integer' }, 200_000, (n: number) => n],
  ] as const)('uses almost no heap: %s', (_name, type, count, valueOf) => {
    const before = heapUsed();
    const column = filled(type, count, valueOf);
    expect(heapUsed() - before).toBeLessThan(3_000_000);
    expect(column.take()).toHaveLength(count);
    expect(column.take()).toEqual([]);
  });
});
