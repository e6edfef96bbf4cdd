import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runLogId, type ChunkStore } from '#log';
import { pipeline } from '#pipeline';
import { columnsOf, rowReader, type View } from '#rows';
import { eventsOf, ran } from '../engine/engine.ts';

/** Each step adds a column, the last one only leaves rows out. */
const deep = ran(
  pipeline('deep', ({ source }) => {
    source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 5 }, (_, n) => ({ n })) })
      .map('double', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) })
      .map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: `row ${n}` }) })
      .filter('odd', { keep: ({ n }) => n % 2 === 1 });
  }),
);

const columns = ['n', 'twice', 'text'];
const oddRows = [
  [1, 3],
  [2, 6],
  ['row 1', 'row 3'],
];

/** A reader of that run, whose chunks come as they are let. */
async function readerOf(get: (read: () => Promise<Uint8Array>) => Promise<Uint8Array>) {
  const { store, runId } = await deep;
  const [started] = await eventsOf(store, runId);
  if (started?.type !== 'RunStarted') throw new Error('a run begins with its start');
  const chunks: ChunkStore = { ...store.chunks, get: (address) => get(() => store.chunks.get(address)) };
  const { steps } = started.data.manifest;
  const reader = rowReader({ log: store.log, chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
  return async (): Promise<View> => (await Array.fromAsync(reader.output({ step: 'odd', pass: 1, batch: 0 })))[0] as View;
}

describe('a reader of rows', () => {
  it('asks for the chunks of all steps above its rows together, not one after the other', async () => {
    const waiting: (() => void)[] = [];
    const odd = await readerOf(async (read) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return read();
    });
    const values = columnsOf(await odd(), columns);
    await expect.poll(() => waiting.length).toBe(4);
    for (const go of waiting) go();
    expect(await values).toEqual(oddRows);
  });

  it('reads a chunk anew that could not be read when it was first asked for', async () => {
    let failures = 4;
    const odd = await readerOf(async (read) => {
      if (failures-- > 0) throw new Error('the store is away');
      return read();
    });
    await expect(columnsOf(await odd(), columns)).rejects.toThrow('the store is away');
    await expect.poll(() => failures).toBe(0);
    expect(await columnsOf(await odd(), columns)).toEqual(oddRows);
  });
});
