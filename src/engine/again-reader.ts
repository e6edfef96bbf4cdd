import { triedAgainSchema, type RecordedEvent, type Span, type TriedAgain } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import { BoundedCache, decodeDocument } from '../rows/index.ts';
import type { Worker } from '../scheduler/index.ts';

/** Chunks kept: steps of a pass take turns, and each reads its own in order. */
const cachedPagesMax = 8;

/** Makes a reader of the input rows of batches that a pass tries again. It holds a few of the pass's chunks, not all of them. */
export function againReader({
  log,
  chunks,
  logId,
}: {
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly logId: string;
}): Worker['retriedRows'] {
  const reopenings = new Map<number, Promise<RecordedEvent<'RunReopened'>>>();
  const pages = new BoundedCache<Promise<TriedAgain>>(cachedPagesMax);

  const find = async (pass: number): Promise<RecordedEvent<'RunReopened'>> => {
    for await (const page of log.read(logId, { types: ['RunReopened'] }))
      for (const event of page) if (event.type === 'RunReopened' && event.data.pass === pass) return event;
    throw new Error(`no event opened pass ${pass} of ${logId}`);
  };
  const reopening = (pass: number): Promise<RecordedEvent<'RunReopened'>> => {
    const known = reopenings.get(pass) ?? find(pass);
    reopenings.set(pass, known);
    return known;
  };
  const pageAt = (address: string): Promise<TriedAgain> => {
    const known = pages.get(address) ?? chunks.get(address).then((bytes) => decodeDocument(bytes, triedAgainSchema));
    pages.set(address, known, 1);
    known.catch(() => pages.delete(address));
    return known;
  };

  return async (pass, step, batch): Promise<readonly Span[]> => {
    const event = await reopening(pass);
    const index = event.data.pages.findLastIndex((page) => page.step === step && page.batch <= batch);
    const spans = (await pageAt(event.chunks[Math.max(0, index)] ?? ''))[step]?.[batch];
    assert(spans, `pass ${pass} tries rows of batch ${batch} of ${step} again`);
    return spans;
  };
}
