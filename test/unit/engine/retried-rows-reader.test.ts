import { expect, it } from 'vitest';
import type { RecordedEvent, Span } from '../../../schema/index.ts';
import { retriedRowsReader } from '../../../src/engine/retried-rows-reader.ts';
import { memoryStore, type EventLog } from '../../../src/log/index.ts';
import { documentChunk } from '../../../src/rows/index.ts';

it('reads the event of a pass again after a read that failed', async () => {
  const store = memoryStore();
  const spans: readonly Span[] = [{ step: 'all', pass: 1, from: [0, 3], to: [0, 4] }];
  const chunk = documentChunk({ text: { 0: spans } });
  await store.chunks.put([chunk]);
  const event = { type: 'RunReopened', data: { pass: 2, pages: [{ step: 'text', batch: 0 }] }, chunks: [chunk.sha256] };
  let reads = 0;
  const log: EventLog = {
    ...store.log,
    read: async function* () {
      if (++reads === 1) throw new Error('the connection is lost');
      yield [event as unknown as RecordedEvent];
    },
  };
  const read = retriedRowsReader({ log, chunks: store.chunks, logId: 'a-run' });
  await expect(read?.(2, 'text', 0)).rejects.toThrow('the connection is lost');
  expect(await read?.(2, 'text', 0)).toEqual(spans);
  await read?.(2, 'text', 0);
  expect(reads).toBe(2);
});
