import type { PackedChunk } from '../../schema/index.ts';
import type { Sha256 } from '../kit/sha256.ts';

/** Stored bytes and their address. */
export interface Chunk {
  readonly sha256: Sha256;
  /** The uncompressed encoding, whose SHA-256 is the address. */
  readonly bytes: Uint8Array;
}

/** Bytes addressed by their SHA-256. What was put is durable before any event may name it. */
export interface ChunkStore {
  /** Stores chunks; one that is there already stays as it is. Throws `Fault('chunk-corrupted')` where other rows are stored under an address. */
  put(chunks: readonly Chunk[]): Promise<void>;
  /** Compresses chunks for an append that brings them along: `AppendRequest.chunks`. */
  pack(chunks: readonly Chunk[]): Promise<readonly PackedChunk[]>;
  /**
   * The bytes under an address, checked against it.
   * Throws `Fault('chunk-missing')` where there are none, `Fault('chunk-corrupted')` where they do not have that hash or cannot be decompressed.
   */
  get(sha256: Sha256): Promise<Uint8Array>;
}
