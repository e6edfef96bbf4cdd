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
export type TellingEvent = RecordedEvent<'BatchSucceeded' | 'BatchFailed' | 'BatchProgressed'>;

/** The addresses that an event names, by what they hold. */
export interface BatchChunks {
  /** Rows, in order. */
  readonly rows: readonly string[];
  readonly calls: string | null;
  readonly checkpoints: string | null;
  readonly rejections: string | null;
}

/** Sorts an event's chunks: rows first, then the lists of calls, of checkpoints and of rejections, those that it has. */
export function batchChunks({ type, chunks, data }: TellingEvent): BatchChunks {
  let end = chunks.length;
  const last = (hasOne: boolean) => (hasOne ? (chunks[--end] ?? null) : null);
  const rejections = last(data.rejected.inChunk);
  const checkpoints = last(type !== 'BatchSucceeded' && data.checkpoints > 0);
  const calls = last(data.calls > 0);
  return { rows: chunks.slice(0, end), calls, checkpoints, rejections };
}

/** The rejections that an event tells of, wherever they stand. */
export async function rejectionsOf(event: TellingEvent, chunks: ChunkStore): Promise<readonly Rejection[]> {
  const { rejections } = batchChunks(event);
  return rejections === null ? event.data.rejected.rows : decodeDocument(await chunks.get(rejections), rejectionSchema.array());
}

/** The calls that an event tells of. */
export async function callsOf(event: TellingEvent, chunks: ChunkStore): Promise<readonly Call[]> {
  const { calls } = batchChunks(event);
  return calls === null ? [] : decodeDocument(await chunks.get(calls), callSchema.array());
}

/** The checkpoints that an event tells of. */
export async function checkpointsOf(event: TellingEvent, chunks: ChunkStore): Promise<Checkpoints | null> {
  const { checkpoints } = batchChunks(event);
  return checkpoints === null ? null : decodeDocument(await chunks.get(checkpoints), checkpointsSchema);
}
