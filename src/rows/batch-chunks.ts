import { callSchema, rejectionSchema, type Call, type RecordedEvent, type Rejection } from '#schema';
import type { ChunkStore } from '#log';
import { decodeDocument } from './chunk-codec.ts';

/** Events of a batch that name chunks. */
export type TellingEvent = RecordedEvent<'BatchSucceeded' | 'BatchFailed' | 'BatchProgressed'>;

/** The addresses that an event names, by what they hold. */
export interface BatchChunks {
  /** Rows, in order. */
  readonly rows: readonly string[];
  readonly calls: string | null;
  readonly rejections: string | null;
}

/** Sorts an event's chunks: rows first, then the list of calls, then that of rejections. */
export function batchChunks({ chunks, data }: TellingEvent): BatchChunks {
  const lists = chunks.slice(chunks.length - (data.calls > 0 ? 1 : 0) - (data.rejected.inChunk ? 1 : 0));
  return {
    rows: chunks.slice(0, chunks.length - lists.length),
    calls: data.calls > 0 ? (lists[0] ?? null) : null,
    rejections: data.rejected.inChunk ? (lists.at(-1) ?? null) : null,
  };
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
