import type { Checkpoint, Checkpoints, NewEvent } from '../../schema/index.ts';
import type { Chunk, ChunkStore } from '../log/index.ts';
import { documentChunk } from '../rows/index.ts';
import type { BatchOutput } from './output-writer.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { Consumed } from './usage-meter.ts';

type BatchEventType = 'BatchSucceeded' | 'BatchFailed' | 'BatchProgressed';

/** Content of a batch's event. */
export interface BatchFacts<T extends BatchEventType> {
  readonly output: BatchOutput;
  /** The list of rejections, if it is too long for an event. */
  readonly rejections: Chunk | null;
  readonly checkpoints: readonly Checkpoint[];
  readonly consumed: Consumed;
  readonly data: Omit<NewEvent<T>['data'], 'usage' | 'calls'>;
}

/** Total of uncompressed bytes up to which chunks are inlined in an append. More are stored before it, concurrently with other appends. */
const inlineChunkBytesMax = 256 * 1024;

/** Returns an event of a batch. Its chunks are stored, or inlined in `brings`. */
export async function batchEvent<T extends BatchEventType>(
  type: T,
  task: RunnableTask,
  chunks: ChunkStore,
  { output, rejections, checkpoints, consumed, data }: BatchFacts<T>,
): Promise<NewEvent<T>> {
  const { step, pass, batch, attempt } = task;
  const { usage, calls } = consumed;
  const documents = [
    calls.length > 0 ? documentChunk(calls) : null,
    checkpoints.length > 0 ? documentChunk({ signature: step.signature, made: checkpoints } satisfies Checkpoints) : null,
    rejections,
  ].filter((chunk) => chunk !== null);
  return {
    type,
    pass,
    step: step.name,
    batch,
    attempt,
    chunks: [...output.addresses, ...documents.map(({ sha256 }) => sha256)],
    brings: await inlineChunks(chunks, [...output.unstored, ...documents]),
    data: { ...data, usage, calls: calls.length },
  } as unknown as NewEvent<T>;
}

/** Returns the chunks to inline in the append, or stores them and returns none if they are too large. */
async function inlineChunks(chunks: ChunkStore, unstored: readonly Chunk[]): Promise<NonNullable<NewEvent['brings']>> {
  const bytes = unstored.reduce((sum, chunk) => sum + chunk.bytes.byteLength, 0);
  if (bytes > inlineChunkBytesMax) {
    await chunks.put(unstored);
    return [];
  }
  return unstored.length > 0 ? chunks.pack(unstored) : [];
}
