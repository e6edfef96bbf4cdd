import type { Chunk, ChunkStore } from '../log/index.ts';
import { ChunkBuilder, type BuiltChunk } from '../rows/index.ts';

/** Refers to a chunk of rows of a batch's output. */
export interface ChunkReference {
  readonly address: string;
  readonly rows: number;
  /** Bytes of the rows before compression. */
  readonly bytes: number;
  /** Output row at which the chunk has to begin in its batch, or null if it may begin anywhere. */
  readonly first: number | null;
}

/** Output of a batch: the addresses of its chunks in order, and the chunks that are not stored yet. */
export interface BatchOutput {
  readonly addresses: readonly string[];
  readonly unstored: readonly Chunk[];
  readonly rows: number;
  /** Number of rows by chunk. */
  readonly chunkRows: readonly number[];
  readonly bytes: number;
}

/** Bytes of finished chunks above which they are stored, instead of waiting for more. */
const unstoredBytesMax = 8 * 1024 * 1024;

/** Builds chunks from a batch's output rows, in order, and stores them as they fill up, so memory does not grow with the output. */
export class OutputWriter {
  readonly #chunks: ChunkStore;
  readonly #builder: ChunkBuilder;
  #addresses: string[] = [];
  #unstored: Chunk[] = [];
  #unstoredBytes = 0;
  #rows = 0;
  #chunkRows: number[] = [];
  #bytes = 0;

  /** `hasParents`: whether each row stems from one input row. */
  constructor(columns: readonly string[], chunks: ChunkStore, hasParents: boolean) {
    this.#chunks = chunks;
    this.#builder = new ChunkBuilder(columns, hasParents);
  }

  /** Number of rows so far. */
  get rows(): number {
    return this.#rows + this.#builder.count;
  }

  /** Adds a row of `bytes` bytes. Returns a promise to await while chunks are being stored. */
  add(values: readonly string[], parent: number, bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#finishChunk() : undefined;
    this.#builder.add(values, parent, bytes);
    return storing;
  }

  /** Adds a row whose values are in `columns` at index `row`, and which stems from the input row of that number. */
  addFrom(columns: readonly (readonly string[])[], row: number, bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#finishChunk() : undefined;
    this.#builder.addFrom(columns, row, bytes);
    return storing;
  }

  /** Returns whether a stored chunk can come next unchanged. */
  canReuse({ first }: ChunkReference): boolean {
    return first === null || first === this.rows;
  }

  /** Adds the rows of a stored chunk. */
  addStored({ address, rows, bytes }: ChunkReference): void {
    if (this.#builder.count > 0) void this.#finishChunk(Number.POSITIVE_INFINITY);
    this.#addresses.push(address);
    this.#chunkRows.push(rows);
    this.#rows += rows;
    this.#bytes += bytes;
  }

  /** Finishes the last chunk and returns the whole output. */
  end(): BatchOutput {
    if (this.#builder.count > 0) void this.#finishChunk(Number.POSITIVE_INFINITY);
    return { addresses: this.#addresses, unstored: this.#unstored, rows: this.#rows, chunkRows: this.#chunkRows, bytes: this.#bytes };
  }

  #finishChunk(bytesMax = unstoredBytesMax): Promise<void> | undefined {
    const { chunk, rows } = this.#builder.take(this.#rows);
    this.#addresses.push(chunk.sha256);
    this.#chunkRows.push(rows);
    this.#unstored.push(chunk);
    this.#unstoredBytes += chunk.bytes.byteLength;
    this.#rows += rows;
    this.#bytes += chunk.bytes.byteLength;
    if (this.#unstoredBytes <= bytesMax) return undefined;
    const storing = this.#unstored;
    this.#unstored = [];
    this.#unstoredBytes = 0;
    return this.#chunks.put(storing);
  }
}

/** Returns the reference to a built chunk. It can be read once the chunk is stored. */
export const chunkReferenceOf = ({ chunk, rows, first }: BuiltChunk): ChunkReference => ({
  address: chunk.sha256,
  rows,
  bytes: chunk.bytes.byteLength,
  first,
});
