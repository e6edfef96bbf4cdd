import { triedAgainSchema, type RecordedEvent, type Span, type TriedAgain } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { memoizeFulfilled } from '../kit/memoize.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import { BoundedCache, decodeDocument } from '../rows/index.ts';
import type { Worker } from '../scheduler/index.ts';

/** Chunks that are cached: the steps of a pass alternate, and each reads its own chunks in order. */
const cachedPagesMax = 8;

/** Returns a function that reads the input rows which a batch retries in a pass. It caches a few of the pass's chunks, not all of them. */
export function retriedRowsReader({
  log,
  chunks,
  logId,
}: {
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly logId: string;
}): Worker['retriedRows'] {
  const pages = new BoundedCache<Promise<TriedAgain>>(cachedPagesMax);

  const reopenedEventOf = memoizeFulfilled(async (pass: number): Promise<RecordedEvent<'RunReopened'>> => {
    for await (const page of log.read(logId, { types: ['RunReopened'] }))
      for (const event of page) if (event.type === 'RunReopened' && event.data.pass === pass) return event;
    throw new Error(`no event begins pass ${pass} of ${logId}`);
  });
  const pageAt = (address: string): Promise<TriedAgain> => {
    const known = pages.get(address) ?? chunks.get(address).then((bytes) => decodeDocument(bytes, triedAgainSchema));
    pages.set(address, known, 1);
    known.catch(() => pages.delete(address));
    return known;
  };

  return async (pass, step, batch): Promise<readonly Span[]> => {
    const event = await reopenedEventOf(pass);
    const index = event.data.pages.findLastIndex((page) => page.step === step && page.batch <= batch);
    const spans = (await pageAt(event.chunks[Math.max(0, index)] ?? ''))[step]?.[batch];
    assert(spans, `pass ${pass} retries rows of batch ${batch} of ${step}`);
    return spans;
  };
}
