import type { PackedChunk } from '../../schema/index.ts';
import type { Sha256 } from '../kit/sha256.ts';

/** Stored bytes and their address. */
export interface Chunk {
  readonly sha256: Sha256;
  /** The uncompressed encoding, whose SHA-256 is the address. */
  readonly bytes: Uint8Array;
}

/** Stores bytes under their SHA-256. A chunk is durable before any event may name it. */
export interface ChunkStore {
  /** Stores chunks. A chunk that is stored already does not change. Throws `Fault('chunk-corrupted')` if other bytes are stored under its address. */
  put(chunks: readonly Chunk[]): Promise<void>;
  /** Compresses chunks that are sent inline with an append: `DriverAppendRequest.brings`. */
  pack(chunks: readonly Chunk[]): Promise<readonly PackedChunk[]>;
  /**
   * Returns the bytes under an address, after checking their hash.
   * Throws `Fault('chunk-missing')` if there are none, and `Fault('chunk-corrupted')` if they have another hash or cannot be decompressed.
   */
  get(sha256: Sha256): Promise<Uint8Array>;
}
