import {
  callSchema,
  checkpointsSchema,
  rejectionSchema,
  type Call,
  type Checkpoints,
  type RecordedEvent,
  type Rejection,
} from '../../schema/index.ts';
import type { ChunkStore } from '../log/index.ts';
import { decodeDocument } from './chunk-codec.ts';

/** Events of a batch that name chunks. */
export type ChunkEvent = RecordedEvent<'BatchSucceeded' | 'BatchFailed' | 'BatchProgressed'>;

/** The addresses that an event names, by what they hold. */
export interface BatchChunks {
  /** Rows, in order. */
  readonly rows: readonly string[];
  readonly calls: string | null;
  readonly checkpoints: string | null;
  readonly rejections: string | null;
}

/** Returns an event's chunks by content. An event lists chunks of rows first, then those of calls, checkpoints and rejections, if it has them. */
export function batchChunks({ type, chunks, data }: ChunkEvent): BatchChunks {
  let end = chunks.length;
  const takeLast = (hasOne: boolean) => (hasOne ? (chunks[--end] ?? null) : null);
  const rejections = takeLast(data.rejected.inChunk);
  const checkpoints = takeLast(type !== 'BatchSucceeded' && data.checkpoints > 0);
  const calls = takeLast(data.calls > 0);
  return { rows: chunks.slice(0, end), calls, checkpoints, rejections };
}

/** Returns the rejections of an event, from the event itself or from its chunk. */
export async function rejectionsOf(event: ChunkEvent, chunks: ChunkStore): Promise<readonly Rejection[]> {
  const { rejections } = batchChunks(event);
  return rejections === null ? event.data.rejected.rows : decodeDocument(await chunks.get(rejections), rejectionSchema.array());
}

/** Returns the calls of an event. */
export async function callsOf(event: ChunkEvent, chunks: ChunkStore): Promise<readonly Call[]> {
  const { calls } = batchChunks(event);
  return calls === null ? [] : decodeDocument(await chunks.get(calls), callSchema.array());
}

/** Returns the checkpoints of an event, or null if it has none. */
export async function checkpointsOf(event: ChunkEvent, chunks: ChunkStore): Promise<Checkpoints | null> {
  const { checkpoints } = batchChunks(event);
  return checkpoints === null ? null : decodeDocument(await chunks.get(checkpoints), checkpointsSchema);
}
