import type { Chunk, ChunkStore } from '../log/index.ts';
import { ChunkBuilder, type BuiltChunk } from '../rows/index.ts';

/** Refers to a chunk of rows of a batch's output. */
export interface ChunkReference {
  readonly address: string;
  readonly rows: number;
  /** Before compression. */
  readonly bytes: number;
  /** Output row at which the chunk has to begin in its batch, or null if it may begin anywhere. */
  readonly first: number | null;
}

/** A batch's output: addresses of its chunks in order, and those among them that are still to be stored. */
export interface BatchOutput {
  readonly addresses: readonly string[];
  readonly unstored: readonly Chunk[];
  readonly rows: number;
  /** The same, by chunk. */
  readonly chunkRows: readonly number[];
  readonly bytes: number;
}

/** Bytes of chunks that wait to be stored together with what comes after them. */
const unstoredBytesMax = 8 * 1024 * 1024;

/** Takes a batch's output rows in order and makes chunks of them, stored as they come: memory does not grow with the output. */
export class OutputWriter {
  readonly #chunks: ChunkStore;
  readonly #builder: ChunkBuilder;
  #addresses: string[] = [];
  #unstored: Chunk[] = [];
  #unstoredBytes = 0;
  #rows = 0;
  #chunkRows: number[] = [];
  #bytes = 0;

  /** `hasParents`: false where no row stems from one input row. */
  constructor(columns: readonly string[], chunks: ChunkStore, hasParents: boolean) {
    this.#chunks = chunks;
    this.#builder = new ChunkBuilder(columns, hasParents);
  }

  /** BatchOutput rows so far. */
  get rows(): number {
    return this.#rows + this.#builder.count;
  }

  /** Adds a row of so many bytes. Await what it returns, if it does: then chunks are being stored. */
  add(values: readonly string[], parent: number, bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#finishChunk() : undefined;
    this.#builder.add(values, parent, bytes);
    return storing;
  }

  /** The same for one row of many whose values stand in columns, which stems from the input row of its number. */
  addFrom(columns: readonly (readonly string[])[], row: number, bytes: number): Promise<void> | undefined {
    const storing = this.#builder.isFullFor(bytes) ? this.#finishChunk() : undefined;
    this.#builder.addFrom(columns, row, bytes);
    return storing;
  }

  /** Whether a chunk that is stored already may come next as it is. */
  canReuse({ first }: ChunkReference): boolean {
    return first === null || first === this.rows;
  }

  /** Adds the rows of a chunk that is stored already. */
  addStored({ address, rows, bytes }: ChunkReference): void {
    if (this.#builder.count > 0) void this.#finishChunk(Number.POSITIVE_INFINITY);
    this.#addresses.push(address);
    this.#chunkRows.push(rows);
    this.#rows += rows;
    this.#bytes += bytes;
  }

  /** All of it. */
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
