import type { RecordedEvent, Span } from '#schema';
import { Fault } from '#kit/fault';
import type { Json } from '#kit/json';
import type { ChunkStore, EventLog } from '#log';
import { batchChunks } from './batch-chunks.ts';
import { concatenated, outputView, type View } from './batch-view.ts';
import { BoundedCache } from './bounded-cache.ts';
import { decodeChunk } from './chunk-codec.ts';

/** Rows of batches, each with all its columns: a step stores the columns it adds, the others are its ancestors' and found through `inputs`. */
export interface RowReader {
  /** Tells of a success, so that it need not be looked up. */
  note(success: RecordedEvent<'BatchSucceeded'>): void;
  /** The output rows of a batch. Throws `Fault('batch-missing')` if it did not succeed up to the reader's position. */
  output(step: string, batch: number): Promise<View>;
  /** The rows of spans, one after the other. */
  input(spans: readonly Span[]): Promise<View>;
}

/** Bytes (uncompressed, estimated by their chunks') of views kept; a reader that goes on in order needs one or two batches per ancestor. */
const cachedBytesMax = 8 * 1024 * 1024;
/** Successes kept, as a count. */
const cachedSuccessesMax = 500;

/** A reader of one run's rows as of a position. Its memory does not grow with the run. */
export function rowReader({
  log,
  chunks,
  logId,
  to,
}: {
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly logId: string;
  readonly to: number;
}): RowReader {
  const views = new BoundedCache<Promise<View>>(cachedBytesMax);
  const successes = new BoundedCache<RecordedEvent<'BatchSucceeded'>>(cachedSuccessesMax);
  const key = (step: string, batch: number) => `${step}/${batch}`;

  const success = async (step: string, batch: number) => {
    const known = successes.get(key(step, batch)) ?? (await log.success(logId, { pass: 1, step, batch, to }));
    if (known) successes.set(key(step, batch), known, 1);
    return known;
  };

  const read = async (step: string, batch: number): Promise<View> => {
    const event = await success(step, batch);
    if (!event)
      throw new Fault('batch-missing', `Batch ${batch} of step ${step} has no rows up to position ${to} of ${logId}.`, {
        details: { step, batch },
      });
    const { inputs } = event.data;
    const parts = await Promise.all(batchChunks(event).rows.map(async (address) => decodeChunk(await chunks.get(address))));
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const columns = new Map<string, Json[]>();
    for (const part of parts) for (const [name, values] of part.columns) columns.set(name, [...(columns.get(name) ?? []), ...values]);
    let first = 0;
    const parents = parts.flatMap((part) => {
      const own = part.parents ?? Array.from({ length: part.count }, (_, row) => first + row);
      first += part.count;
      return own;
    });
    const isIdentity = parts.every((part) => part.parents === null);
    let input: Promise<View> | undefined;
    return outputView(count, parts.length === 1 ? (parts[0]?.columns ?? columns) : columns, isIdentity ? null : parents, () => {
      input ??= reader.input(inputs);
      return input;
    });
  };

  const reader: RowReader = {
    note: (event) => successes.set(key(event.step, event.batch), event, 1),
    output: async (step, batch) => {
      const known = views.get(key(step, batch));
      if (known) return known;
      const bytes = (await success(step, batch))?.data.bytes ?? 0;
      const view = views.get(key(step, batch)) ?? read(step, batch);
      views.set(key(step, batch), view, 1024 + 2 * bytes);
      view.catch(() => views.delete(key(step, batch)));
      return view;
    },
    input: async (spans) => {
      const parts: { view: View; from: number; to: number }[] = [];
      for (const { step, from, to: until } of spans) {
        for await (const { batch, rows } of batchesOf(step, from, until)) {
          const view = await reader.output(step, batch);
          parts.push({ view, from: batch === from[0] ? from[1] : 0, to: batch === until[0] ? Math.min(until[1], rows) : rows });
        }
      }
      return concatenated(parts);
    },
  };

  /** Batches of a span that have rows. A batch inside it that fell through, or was given up, has none. */
  async function* batchesOf(step: string, from: Span['from'], until: Span['to']): AsyncGenerator<{ batch: number; rows: number }> {
    const last = until[1] === 0 ? until[0] - 1 : until[0];
    for (let batch = from[0]; batch <= last; batch++) {
      const event = await success(step, batch);
      if (event && event.data.rows > 0) yield { batch, rows: event.data.rows };
    }
  }

  return reader;
}
