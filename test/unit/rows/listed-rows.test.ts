import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Span } from '../../../schema/index.ts';
import { runLogId } from '../../../src/log/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { rowReader } from '../../../src/rows/index.ts';
import { locateRow } from '../../../src/rows/row-ranges.ts';
import { eventsOf, ran } from '../engine/engine.ts';

const rowCount = 3_500;

/** A batch that is stored in several chunks. */
const wide = ran(
  pipeline('wide', ({ source }) => {
    const rows = Array.from({ length: rowCount }, (_, n) => ({ n }));
    source('all', { output: z.object({ n: z.int() }), rows, batchSize: rowCount }).map('next', {
      output: z.object({ next: z.int() }),
      run: ({ n }) => ({ next: n + 1 }),
    });
  }),
);

async function wideReader() {
  const { store, runId } = await wide;
  const events = await eventsOf(store, runId);
  const started = events.find((event) => event.type === 'RunStarted');
  const success = events.find((event) => event.type === 'BatchSucceeded' && event.step === 'all');
  if (started?.type !== 'RunStarted' || success?.type !== 'BatchSucceeded') throw new Error('the run has a start and a success');
  const { steps } = started.data.manifest;
  const read: string[] = [];
  const chunks = { ...store.chunks, get: (address: string) => (read.push(address), store.chunks.get(address)) };
  const reader = rowReader({ log: store.log, chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
  return { reader, read, chunkRows: success.data.chunkRows, find: async () => success };
}

const listed = (rows: readonly number[]): Span => ({
  step: 'all',
  pass: 1,
  from: [0, rows[0] ?? 0],
  to: [0, (rows.at(-1) ?? 0) + 1],
  rows,
});

describe('a span that lists rows', () => {
  it('holds only these rows, wherever a chunk ends', async () => {
    const { reader, chunkRows } = await wideReader();
    expect(chunkRows.length).toBeGreaterThan(2);
    const end = chunkRows[0] ?? 0;
    for (const rows of [[0], [3_499], [end - 1, end], [0, 2, end - 1, end + 1, 3_499], [1, 3, 5, 3_498]]) {
      const view = await reader.input('next', [listed(rows)]);
      expect(view.count).toBe(rows.length);
      expect(await view.column('n')).toEqual(rows);
    }
  });

  it('keeps its order among other spans', async () => {
    const { reader } = await wideReader();
    const whole: Span = { step: 'all', pass: 1, from: [0, 10], to: [0, 12] };
    expect(await (await reader.input('next', [listed([3, 50]), whole, listed([1, 2])])).column('n')).toEqual([3, 50, 10, 11, 1, 2]);
  });

  it('reads no chunk without any of its rows', async () => {
    const { reader, read } = await wideReader();
    await (await reader.input('next', [listed([0, 3_499])])).column('n');
    expect(read).toHaveLength(2);
  });

  it('names its rows by their places in the batch', async () => {
    const { find } = await wideReader();
    const spans: readonly Span[] = [listed([3, 50]), { step: 'all', pass: 1, from: [0, 10], to: [0, 12] }];
    const names = await Promise.all([0, 1, 2, 3].map((index) => locateRow(spans, index, { find })));
    expect(names.map(({ row }) => row)).toEqual([3, 50, 10, 11]);
    await expect(locateRow(spans, 4, { find })).rejects.toThrow('An input has 4 rows');
  });
});
