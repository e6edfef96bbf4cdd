import type { Chunk, ChunkStore } from '../log/index.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Maximum uncompressed bytes of cached chunks. */
const cachedBytesMax = 4 * 1024 * 1024;

/** Returns a chunk store that caches the chunks that it writes and reads, because a step reads what the step above it wrote. */
export function cacheChunks(chunks: ChunkStore): ChunkStore {
  const cache = new BoundedCache<Uint8Array>(cachedBytesMax);
  const remember = ({ sha256, bytes }: Chunk) => cache.set(sha256, bytes, bytes.byteLength);
  return {
    put: async (all) => {
      await chunks.put(all);
      all.forEach(remember);
    },
    pack: async (all) => {
      const packed = await chunks.pack(all);
      all.forEach(remember);
      return packed;
    },
    get: async (sha256) => {
      const known = cache.get(sha256);
      if (known) return known;
      const bytes = await chunks.get(sha256);
      remember({ sha256, bytes });
      return bytes;
    },
  };
}
