import { rejectionBytesInlineMax, type Rejected, type Rejection } from '../../schema/index.ts';
import type { Chunk } from '../log/index.ts';
import { documentChunk } from '../rows/index.ts';

/** Rejections as a batch's event holds them. */
export interface EncodedRejections {
  readonly rejected: Rejected;
  /** The list of rejections as a chunk, if it is too long for an event. */
  readonly rejections: Chunk | null;
}

/** Encodes rejections for an event: in its data, or in a chunk if they are too many. */
export function encodeRejections(rows: readonly Rejection[]): EncodedRejections {
  const codes = Object.fromEntries(
    Array.from(
      Map.groupBy(rows, ({ code }) => code),
      ([code, rejections]) => [code, rejections.length],
    ),
  );
  const inChunk = Buffer.byteLength(JSON.stringify(rows)) > rejectionBytesInlineMax;
  return { rejected: { count: rows.length, codes, rows: inChunk ? [] : rows, inChunk }, rejections: inChunk ? documentChunk(rows) : null };
}
