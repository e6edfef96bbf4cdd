import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runLogId, type ChunkStore, type Store } from '../../../src/log/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { columnsOf, rowReader, type View } from '../../../src/rows/index.ts';
import type { Manifest } from '../../../schema/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { collectYoung, heapUsed } from '../heap-used.ts';

/** Each step adds a column, except the last one, which drops rows. */
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

async function manifestOf(store: Store, runId: string): Promise<Manifest> {
  const [started] = await eventsOf(store, runId);
  if (started?.type !== 'RunStarted') throw new Error('a run begins with its start');
  return started.data.manifest;
}

/** A reader of that run, whose chunks arrive when a test lets them. */
async function readerOf(get: (read: () => Promise<Uint8Array>) => Promise<Uint8Array>) {
  const { store, runId } = await deep;
  const { steps } = await manifestOf(store, runId);
  const chunks: ChunkStore = { ...store.chunks, get: (address) => get(() => store.chunks.get(address)) };
  const reader = rowReader({ log: store.log, chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
  return async (): Promise<View> => (await Array.fromAsync(reader.output({ step: 'odd', pass: 1, batch: 0 })))[0] as View;
}

describe('a reader of rows', () => {
  it('requests the chunks of all steps above concurrently', async () => {
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

  it('reads a chunk again if the first read failed', async () => {
    let failures = 4;
    const odd = await readerOf(async (read) => {
      if (failures-- > 0) throw new Error('the store is away');
      return read();
    });
    await expect(columnsOf(await odd(), columns)).rejects.toThrow('the store is away');
    await expect.poll(() => failures).toBe(0);
    expect(await columnsOf(await odd(), columns)).toEqual(oddRows);
  });

  it('rarely reads a chunk twice, however many batches a batch and the next ones are made from', async () => {
    const { store, runId } = await ran(
      pipeline('recut', ({ source }) => {
        source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 2_000 }, (_, n) => ({ n })), batchSize: 10 })
          .map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: `row ${n}` }) }, { batchSize: 100 })
          .filter('some', { keep: ({ n }) => n % 3 !== 0 })
          .map('last', { output: z.object({ last: z.int() }), run: ({ n }) => ({ last: n }) }, { batchSize: 3 });
      }),
    );
    const { steps } = await manifestOf(store, runId);
    const read: string[] = [];
    const chunks: ChunkStore = {
      ...store.chunks,
      get: (address) => {
        read.push(address);
        return store.chunks.get(address);
      },
    };
    const reader = rowReader({ log: store.log, chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
    // Like an export, which requests the next ones before it needs them.
    const ahead: View[] = [];
    for (let batch = 0; batch < 400; batch++) {
      ahead.push(...(await Array.fromAsync(reader.output({ step: 'last', pass: 1, batch }))));
      if (ahead.length > 2) await columnsOf(ahead.shift() as View, ['n', 'text', 'last']);
    }
    expect(read.length).toBeLessThan(1.2 * new Set(read).size);
  });

  it('does not let read rows reach the old generation', async () => {
    const { store, runId } = await ran(
      pipeline('long', ({ source }) => {
        source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 20_000 }, (_, n) => ({ n })), batchSize: 100 })
          .map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: `row ${n} `.repeat(100) }) })
          .map('last', { output: z.object({ last: z.int() }), run: ({ n }) => ({ last: n }) });
      }),
    );
    const { steps } = await manifestOf(store, runId);
    const reader = rowReader({ log: store.log, chunks: store.chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps });
    const before = heapUsed();
    let rows = 0;
    for (let batch = 0; batch < 200; batch++) {
      for await (const view of reader.output({ step: 'last', pass: 1, batch })) rows += (await view.column('text')).length;
      if (batch % 10 === 9) collectYoung();
    }
    expect(rows).toBe(20_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000);
  });
});
