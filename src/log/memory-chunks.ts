import { checkedChunk, isHeld } from './checked-chunk.ts';
import type { ChunkStore } from './chunk-store.ts';

export interface MemoryChunks extends ChunkStore {
  /** Stored bytes by address, for tests that alter them. */
  readonly bytes: Map<string, Uint8Array>;
}

/** The chunks of a memory store. */
export function memoryChunks(): MemoryChunks {
  const bytes = new Map<string, Uint8Array>();
  return {
    bytes,
    put: async (chunks) => {
      // A copy: whoever reuses its buffer afterwards does not reach what is stored, as with a database.
      for (const chunk of chunks) if (!isHeld(bytes, chunk.sha256, chunk.bytes)) bytes.set(chunk.sha256, new Uint8Array(chunk.bytes));
    },
    pack: async (chunks) =>
      chunks.map(({ sha256, bytes: given }) => ({ sha256, codec: 'none', length: given.byteLength, body: new Uint8Array(given) })),
    get: async (address) => checkedChunk(address, bytes.get(address)),
  };
}
