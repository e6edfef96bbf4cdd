import type { RecordedEvent, Rejection } from '../../schema/index.ts';
import type { ChunkStore } from '../log/index.ts';
import { batchChunks, decodeChunk, rejectionsOf } from '../rows/index.ts';
import type { StoredPart } from './stored-parts.ts';

/** Rows of a batch that one event of an earlier attempt recorded. */
export interface RecoveredRows {
  /** Input rows that are done, with output or without. */
  readonly done: RecordedEvent<'BatchFailed'>['data']['done'];
  /** Output rows in order, by the input row that each stems from. */
  readonly output: readonly { readonly row: number; readonly part: StoredPart }[];
  readonly rejections: readonly Rejection[];
  readonly position: number;
}

/** Reads the rows that earlier attempts at a batch recorded, event by event. */
export async function* recoverRows(events: readonly RecordedEvent[], chunks: ChunkStore): AsyncGenerator<RecoveredRows> {
  for (const event of events) {
    if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') continue;
    const output: { row: number; part: StoredPart }[] = [];
    let first = 0;
    for (const address of batchChunks(event).rows) {
      const bytes = await chunks.get(address);
      const { count, parents } = decodeChunk(bytes);
      const chunk = { address, rows: count, bytes: bytes.byteLength, first: parents === null ? first : null };
      for (let row = 0; row < count; row++) {
        output.push({ row: parents?.[row] ?? first + row, part: { kind: 'stored', chunk, from: row, rows: 1 } });
      }
      first += count;
    }
    yield { done: event.data.done, output, rejections: await rejectionsOf(event, chunks), position: event.position };
  }
}
