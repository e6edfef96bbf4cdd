import type { ChunkStore } from '../log/index.ts';
import { rowBytes } from '../rows/index.ts';
import type { ChunkReference, OutputWriter } from './output-writer.ts';
import { partReader, type PendingRows, type EncodedRow } from './row-output.ts';

export type StoredPart = Extract<PendingRows, { readonly kind: 'stored' }>;
export type HeldPart = Exclude<PendingRows, { readonly kind: 'stored' }>;

/** A part of a batch's output, with the input row that it stems from. */
export interface PlacedPart {
  readonly row: number;
  readonly part: PendingRows;
}

/** Minimum rows for reusing a chunk that an earlier event of the batch recorded. Smaller chunks are merged. */
const reusedRowsMin = 500;

/** Adds a stored part to the parts of the same input row. Adjacent rows of a chunk become one part. */
export function addStoredPart(parts: PendingRows[], part: StoredPart): void {
  const last = parts.at(-1);
  if (last?.kind === 'stored' && last.chunk.address === part.chunk.address && last.from + last.rows === part.from) {
    parts[parts.length - 1] = { ...last, rows: last.rows + part.rows };
  } else parts.push(part);
}

/** Writes parts in order, stored or in memory. Whole chunks are reused. */
export async function writeParts(
  writer: OutputWriter,
  parts: readonly PlacedPart[],
  { columns, chunks }: { readonly columns: readonly string[]; readonly chunks: ChunkStore },
): Promise<void> {
  const reader = partReader(columns, chunks);
  for (let index = 0; index < parts.length; ) {
    const reused = wholeChunkAt(parts, index);
    if (reused && writer.canReuse(reused.chunk)) {
      writer.addStored(reused.chunk);
      index = reused.next;
      continue;
    }
    const { row, part } = parts[index] as PlacedPart;
    if (part.kind !== 'stored') await writeHeld(writer, part, row);
    else for await (const values of reader.rows(part)) await writer.add(values, row, rowBytes(values));
    index++;
  }
}

/** Writes rows that are in memory. */
export async function writeHeld(writer: OutputWriter, part: HeldPart, row: number): Promise<void> {
  for (const { values, bytes } of heldRows(part)) {
    const storing = writer.add(values, row, bytes);
    if (storing) await storing;
  }
}

/** Returns rows in memory one by one, with their bytes. */
export const heldRows = (part: HeldPart): readonly EncodedRow[] =>
  part.kind === 'row' ? [part] : part.rows.map((values) => ({ kind: 'row', values, bytes: rowBytes(values) }));

/** Returns the chunk whose rows are exactly those of the parts from `index` on, in order, if it is large enough to be reused. */
function wholeChunkAt(parts: readonly PlacedPart[], index: number): { readonly chunk: ChunkReference; readonly next: number } | null {
  const first = parts[index]?.part;
  if (first?.kind !== 'stored' || first.from !== 0 || first.chunk.rows < reusedRowsMin) return null;
  let next = index;
  let rows = 0;
  while (rows < first.chunk.rows) {
    const part = parts[next]?.part;
    if (part?.kind !== 'stored' || part.chunk.address !== first.chunk.address || part.from !== rows) return null;
    rows += part.rows;
    next++;
  }
  return { chunk: first.chunk, next };
}
