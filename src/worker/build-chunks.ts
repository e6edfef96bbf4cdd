import type { Chunk } from '../log/index.ts';
import { ChunkBuilder } from '../rows/index.ts';
import { chunkReferenceOf, type BatchOutput } from './output-writer.ts';
import type { PendingRows } from './row-output.ts';
import { heldRows } from './stored-parts.ts';

/** The output of one input row. */
export interface RowParts {
  readonly row: number;
  readonly parts: readonly PendingRows[];
}

/**
 * Builds chunks from rows in memory, and reuses chunks that are stored already. `replace` receives the new parts of each row, which refer to chunks once
 * this returns, so the memory of rows can be released one by one.
 */
export function buildChunks(
  columns: readonly string[],
  rows: Iterable<RowParts>,
  replace: (row: number, parts: readonly PendingRows[]) => void,
): BatchOutput {
  const builder = new ChunkBuilder(columns, true);
  const unstored: Chunk[] = [];
  const addresses: string[] = [];
  const chunkRows: number[] = [];
  /** Parts to replace once the chunk in the builder is complete. */
  let places: { readonly parts: PendingRows[]; readonly at: number }[] = [];
  let count = 0;
  let bytes = 0;
  const finishChunk = () => {
    const built = builder.take(count);
    const chunk = chunkReferenceOf(built);
    unstored.push(built.chunk);
    addresses.push(chunk.address);
    chunkRows.push(chunk.rows);
    count += chunk.rows;
    bytes += chunk.bytes;
    for (const [from, { parts, at }] of places.entries()) parts[at] = { kind: 'stored', chunk, from, rows: 1 };
    places = [];
  };
  for (const { row, parts: before } of rows) {
    const parts: PendingRows[] = [];
    for (const part of before) {
      if (part.kind === 'stored') {
        // The rows of a large output are in a stored chunk, which is recorded at their position.
        if (builder.count > 0) finishChunk();
        addresses.push(part.chunk.address);
        chunkRows.push(part.rows);
        count += part.rows;
        bytes += part.chunk.bytes;
        parts.push(part);
        continue;
      }
      for (const one of heldRows(part)) {
        if (builder.isFullFor(one.bytes)) finishChunk();
        builder.add(one.values, row, one.bytes);
        places.push({ parts, at: parts.length });
        parts.push(one);
      }
    }
    if (parts.length > 0) replace(row, parts);
  }
  if (builder.count > 0) finishChunk();
  return { addresses, unstored, rows: count, chunkRows, bytes };
}
