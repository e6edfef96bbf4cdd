import { chunkBytesMax, chunkRowsMax } from '#schema';
import { Fault } from '#kit/fault';
import { canonicalJson, type Json } from '#kit/json';
import { sha256 } from '#kit/sha256';
import type { Chunk } from '#log';

/**
 * The rows of a chunk, column by column: only the columns that its step added. `parents` are the input rows that each output row stems from, or null
 * where they are the chunk's own row numbers, counted from the batch's first output row.
 */
export interface DecodedChunk {
  readonly count: number;
  readonly parents: readonly number[] | null;
  readonly columns: ReadonlyMap<string, readonly Json[]>;
}

/** One output row, ready to be stored: the canonical JSON of each added column, in the step's order, and the input row it stems from. */
export interface EncodedRow {
  readonly values: readonly string[];
  readonly parent: number;
}

/** The canonical JSON of a row's added columns. Throws a `TypeError` for what JSON cannot hold. */
export const encodeValues = (values: readonly unknown[]): readonly string[] => values.map(canonicalJson);

/** Bytes of an encoded row, as bounds count them. */
export function rowBytes(values: readonly string[]): number {
  let bytes = 0;
  for (const value of values) bytes += Buffer.byteLength(value) + 1;
  return bytes;
}

/** Cuts a batch's output rows into chunks, in order: at most `chunkRowsMax` rows and `chunkBytesMax` bytes each, unless one row alone is larger. */
export function encodeChunks(columns: readonly string[], rows: readonly EncodedRow[]): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  while (from < rows.length) {
    let to = from;
    let bytes = 0;
    for (; to < rows.length && to - from < chunkRowsMax; to++) {
      const more = rowBytes(rows[to]?.values ?? []);
      if (to > from && bytes + more > chunkBytesMax) break;
      bytes += more;
    }
    chunks.push(encodeChunk(columns, rows, from, to));
    from = to;
  }
  return chunks;
}

function encodeChunk(columns: readonly string[], rows: readonly EncodedRow[], from: number, to: number): Chunk {
  const slice = rows.slice(from, to);
  const texts = columns.map((name, index) => `[${JSON.stringify(name)},[${slice.map(({ values }) => values[index]).join(',')}]]`);
  const isIdentity = slice.every(({ parent }, index) => parent === from + index);
  const parents = isIdentity ? '' : `,"parents":[${slice.map(({ parent }) => parent).join(',')}]`;
  return chunkOf(`{"columns":[${texts.join(',')}],"count":${slice.length}${parents}}`);
}

/** What a chunk of rows holds, frozen at every depth: the next step sees what a resumed run would see. Throws `Fault('chunk-corrupted')`. */
export function decodeChunk(bytes: Uint8Array): DecodedChunk {
  const { columns, count, parents } = parse(bytes) as {
    columns: [string, Json[]][];
    count: number;
    parents?: number[];
  };
  for (const [, values] of columns) for (const value of values) deepFreeze(value);
  return { count, parents: parents ?? null, columns: new Map(columns) };
}

/** A chunk that holds one JSON document: a definition, a list of rejections. */
export const documentChunk = (document: unknown): Chunk => chunkOf(canonicalJson(document));

/** The document of such a chunk. Throws `Fault('chunk-corrupted')`. */
export const decodeDocument = (bytes: Uint8Array): unknown => parse(bytes);

function chunkOf(text: string): Chunk {
  const bytes = Buffer.from(text, 'utf8');
  return { sha256: sha256(bytes), bytes };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw new Fault('chunk-corrupted', 'A stored chunk is not JSON; distilog verify names the position that refers to it.', { cause });
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
