import type { ChunkStore } from '../log/index.ts';
import { BoundedCache, ChunkBuilder, decodeChunk, encodeValues, type DecodedChunk } from '../rows/index.ts';
import { chunkReferenceOf, type ChunkReference } from './output-writer.ts';

/** An output row in memory, as the canonical JSON of the columns that are added: so many bytes. */
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

/** Bytes of decoded chunks that are kept while rows are written in order: those of two journals may take turns. */
const decodedBytesMax = 16 * 1024 * 1024;

/** Reads parts' output rows, one after the other. */
export interface PartReader {
  rows(part: PendingRows): AsyncIterable<readonly string[]>;
}

/** A reader that decodes a chunk once for all the rows that stand in it, as long as they are asked for about together. */
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

/** Takes the output rows of one input row, however many: what fills a chunk is stored at once. */
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

  /** Adds a row. Await what it returns, if it does. */
  add(values: readonly string[], bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#store() : undefined;
    this.#builder.add(values, this.#parent, bytes);
    this.#held.push(values);
    this.#heldBytes += bytes;
    return storing;
  }

  /** All of it, in order. */
  parts(): readonly PendingRows[] {
    return this.#held.length === 0 ? this.#stored : [...this.#stored, { kind: 'held', rows: this.#held, bytes: this.#heldBytes }];
  }

  #store(): Promise<void> {
    // Wherever it will stand in the batch, its rows do not stem from input rows of the same numbers: so many of them stem from one.
    const built = this.#builder.take(Number.NaN);
    const chunk = chunkReferenceOf(built);
    this.#stored.push({ kind: 'stored', chunk, from: 0, rows: chunk.rows });
    this.#held = [];
    this.#heldBytes = 0;
    return this.#chunks.put([built.chunk]);
  }
}
