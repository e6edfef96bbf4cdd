import { describe, expect, it } from 'vitest';
import { memoryChunks } from '../../../src/log/memory-chunks.ts';
import { FinishedRows, kept } from '../../../src/worker/finished-rows.ts';

describe('the finished rows of a batch', () => {
  it('are read from each chunk that an earlier event told of once, however many of them stand in it', async () => {
    const chunks = memoryChunks();
    let reads = 0;
    const counting = { ...chunks, get: (address: string) => (reads++, chunks.get(address)) };
    const finished = new FinishedRows(['n'], counting);
    // Two journals whose rows take turns.
    for (const parity of [0, 1]) {
      for (let row = parity; row < 400; row += 2) finished.set(row, kept([String(row)], 4));
      await chunks.put(finished.tellNews().output.unstored);
    }
    const { output } = await finished.tellAll();
    expect(output.rows).toBe(400);
    expect(reads).toBe(2);
  });
});
