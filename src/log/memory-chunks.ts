import { checkChunk, hasChunk } from './check-chunk.ts';
import type { ChunkStore } from './chunk-store.ts';

/** A chunk store in memory. */
export interface MemoryChunks extends ChunkStore {
  /** Stored bytes by address, for tests that alter them. */
  readonly bytes: Map<string, Uint8Array>;
}

/** Creates the chunk store of a memory store. */
export function memoryChunks(): MemoryChunks {
  const bytes = new Map<string, Uint8Array>();
  return {
    bytes,
    put: async (chunks) => {
      // A caller may reuse its buffer, which must not change the stored bytes. So they are copied, as a database does.
      for (const chunk of chunks) if (!hasChunk(bytes, chunk.sha256, chunk.bytes)) bytes.set(chunk.sha256, new Uint8Array(chunk.bytes));
    },
    pack: async (chunks) =>
      chunks.map(({ sha256, bytes: content }) => ({ sha256, codec: 'none', length: content.byteLength, body: new Uint8Array(content) })),
    get: async (address) => checkChunk(address, bytes.get(address)),
  };
}
