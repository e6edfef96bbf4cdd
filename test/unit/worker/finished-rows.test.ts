import { describe, expect, it } from 'vitest';
import { memoryChunks } from '../../../src/log/memory-chunks.ts';
import { FinishedRows } from '../../../src/worker/finished-rows.ts';
import { heapUsed } from '../heap-used.ts';

describe('the finished rows of a batch', () => {
  it('are read once from each chunk that an earlier event recorded, however many rows it holds', async () => {
    const chunks = memoryChunks();
    let reads = 0;
    const counting = { ...chunks, get: (address: string) => (reads++, chunks.get(address)) };
    const finished = new FinishedRows(['n'], counting);
    // The rows of two events alternate.
    for (const parity of [0, 1]) {
      for (let row = parity; row < 400; row += 2) finished.set(row, { kind: 'row', values: [String(row)], bytes: 4 });
      await chunks.put(finished.takeUnrecorded().output.unstored);
    }
    const { output } = await finished.takeAll();
    expect(output.rows).toBe(400);
    expect(reads).toBe(2);
  });

  it('leave memory once they are recorded', async () => {
    const chunks = memoryChunks();
    const finished = new FinishedRows(['text'], chunks);
    const before = heapUsed();
    for (let row = 0; row < 30; row++) {
      const text = JSON.stringify('x'.repeat(1_000_000));
      finished.set(row, { kind: 'row', values: [text], bytes: text.length });
    }
    const { unstored } = finished.takeUnrecorded().output;
    await chunks.put(unstored);
    expect(heapUsed() - before).toBeLessThan(10_000_000);
    expect(await finished.valuesOf(29)).toEqual([JSON.stringify('x'.repeat(1_000_000))]);
  });
});
