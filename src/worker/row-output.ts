import type { ChunkStore } from '../log/index.ts';
import { BoundedCache, ChunkBuilder, decodeChunk, encodeValues, type DecodedChunk } from '../rows/index.ts';
import { chunkReferenceOf, type ChunkReference } from './output-writer.ts';

/** An output row in memory: the canonical JSON of its added columns, and their bytes. */
export interface EncodedRow {
  readonly kind: 'row';
  readonly values: readonly string[];
  readonly bytes: number;
}

/** Consecutive output rows of one input row: one or more in memory, or in a chunk. */
export type PendingRows =
  | EncodedRow
  | { readonly kind: 'held'; readonly rows: readonly (readonly string[])[]; readonly bytes: number }
  | { readonly kind: 'stored'; readonly chunk: ChunkReference; readonly from: number; readonly rows: number };

/** Bytes of decoded chunks that are cached while rows are written in order: rows of two journals may alternate. */
const decodedBytesMax = 16 * 1024 * 1024;

/** Reads the output rows of parts. */
export interface PartReader {
  rows(part: PendingRows): AsyncIterable<readonly string[]>;
}

/** Returns a reader that decodes a chunk once for all of its rows, if they are read at about the same time. */
export function partReader(columns: readonly string[], chunks: ChunkStore): PartReader {
  const cache = new BoundedCache<DecodedChunk>(decodedBytesMax);
  return {
    rows: async function* (part) {
      if (part.kind === 'row') yield part.values;
      if (part.kind === 'held') yield* part.rows;
      if (part.kind !== 'stored') return;
      const { address, bytes } = part.chunk;
      const decoded = cache.get(address) ?? decodeChunk(await chunks.get(address));
      cache.set(address, decoded, bytes);
      yield* storedRows(part, columns, decoded);
    },
  };
}

function* storedRows(
  part: Extract<PendingRows, { readonly kind: 'stored' }>,
  columns: readonly string[],
  decoded: DecodedChunk,
): Generator<readonly string[]> {
  const values = columns.map((name) => decoded.columns.get(name) ?? []);
  for (let row = part.from; row < part.from + part.rows; row++) yield encodeValues(values.map((column) => column[row]));
}

/** Collects the output rows of one input row. Rows that fill a chunk are stored at once, so memory does not limit their number. */
export class RowOutput {
  readonly #columns: readonly string[];
  readonly #chunks: ChunkStore;
  readonly #parent: number;
  readonly #stored: PendingRows[] = [];
  readonly #builder: ChunkBuilder;
  #held: (readonly string[])[] = [];
  #heldBytes = 0;

  constructor(columns: readonly string[], chunks: ChunkStore, parent: number) {
    this.#columns = columns;
    this.#chunks = chunks;
    this.#parent = parent;
    this.#builder = new ChunkBuilder(this.#columns, true);
  }

  /** Adds a row. Returns a promise to await while a chunk is being stored. */
  add(values: readonly string[], bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#store() : undefined;
    this.#builder.add(values, this.#parent, bytes);
    this.#held.push(values);
    this.#heldBytes += bytes;
    return storing;
  }

  /** Returns the parts in order. */
  parts(): readonly PendingRows[] {
    return this.#held.length === 0 ? this.#stored : [...this.#stored, { kind: 'held', rows: this.#held, bytes: this.#heldBytes }];
  }

  #store(): Promise<void> {
    // NaN: all rows of this chunk have the same parent, so the parents must be stored wherever the chunk begins in its batch.
    const built = this.#builder.take(Number.NaN);
    const chunk = chunkReferenceOf(built);
    this.#stored.push({ kind: 'stored', chunk, from: 0, rows: chunk.rows });
    this.#held = [];
    this.#heldBytes = 0;
    return this.#chunks.put([built.chunk]);
  }
}
