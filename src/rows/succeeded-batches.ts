import type { RecordedEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { ChunkStore } from '../log/index.ts';
import { batchChunks } from './batch-chunks.ts';
import { batchKey, type BatchName } from './batch-name.ts';
import { BoundedCache } from './bounded-cache.ts';
import { decodeChunk, type DecodedChunk } from './chunk-codec.ts';
import { inheritedColumns, type InheritedColumns, type ReadInput } from './inherited-columns.ts';
import type { ReadStep } from './read-step.ts';
import type { SuccessLookup } from './success-lookup.ts';

/** Maximum cached batches. A reader that reads in order needs a few per ancestor. */
const cachedBatchesMax = 50;

/** A batch that succeeded, with the columns that its own chunks do not hold. */
export interface SucceededBatch {
  readonly event: RecordedEvent<'BatchSucceeded'>;
  readonly inherited: InheritedColumns;
  /** Number of chunks that hold its rows. */
  readonly chunkCount: number;
  /** Reads and decodes a chunk, by its number in the batch. */
  readonly readChunk: (index: number) => Promise<DecodedChunk>;
}

/** Returns a successful batch. Throws `Fault('batch-missing')` if it did not succeed. */
export type FindSucceededBatch = (batch: BatchName) => Promise<SucceededBatch>;

/** Creates a lookup of successful batches, which caches the last used ones. */
export function succeededBatches({
  chunks,
  successes,
  stepOf,
  readInput,
  asOf,
}: {
  readonly chunks: ChunkStore;
  readonly successes: SuccessLookup;
  readonly stepOf: (name: string) => ReadStep;
  readonly readInput: ReadInput;
  /** Names the log and position in messages. */
  readonly asOf: { readonly logId: string; readonly to: number };
}): FindSucceededBatch {
  const batches = new BoundedCache<Promise<SucceededBatch>>(cachedBatchesMax);

  const find = async (batch: BatchName): Promise<SucceededBatch> => {
    const event = await successes.find(batch);
    if (!event)
      throw new Fault(
        'batch-missing',
        `Batch ${batch.batch} of step ${batch.step} has no rows up to position ${asOf.to} of ${asOf.logId}.`,
        {
          details: { step: batch.step, batch: batch.batch },
        },
      );
    const addresses = batchChunks(event).rows;
    return {
      event,
      inherited: inheritedColumns(stepOf(batch.step), event.data.inputs, readInput),
      chunkCount: addresses.length,
      readChunk: async (index) => decodeChunk(await chunks.get(addresses[index] ?? ''), event.data.chunkRows[index]),
    };
  };

  return (batch) => {
    const key = batchKey(batch);
    const found = batches.get(key) ?? find(batch);
    batches.set(key, found, 1);
    found.catch(() => batches.delete(key));
    return found;
  };
}
