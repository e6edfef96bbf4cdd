import { codeOf, messageOf } from '../kit/fault.ts';
import type { StoredEvent } from './event-log.ts';
import type { ChunkStore } from './chunk-store.ts';

/** Maximum addresses of good chunks that are remembered, about 10 MB. A chunk that many events name is read once. */
const rememberedMax = 100_000;

/** Verifies the chunks that events name. */
export interface ChunkVerifier {
  /** Returns the first event that names a missing or altered chunk, or null. Throws other errors of the store. */
  firstBad(events: readonly StoredEvent[]): Promise<{ readonly position: number; readonly reason: string } | null>;
  /** Returns the number of good chunks. */
  count(): number;
}

/** Creates a verifier. It reads each address once, unless there are more than it can remember. */
export function chunkVerifier(chunks: ChunkStore): ChunkVerifier {
  const good = new Set<string>();
  let count = 0;

  const badReason = async (address: string): Promise<string | null> => {
    try {
      await chunks.get(address);
      return null;
    } catch (error) {
      // If the store cannot be reached, the chunk is not known to be bad.
      if (codeOf(error) === 'chunk-missing' || codeOf(error) === 'chunk-corrupted') return messageOf(error);
      throw error;
    }
  };

  return {
    count: () => count,
    firstBad: async (events) => {
      for (const { position, chunks: addresses } of events) {
        for (const address of addresses) {
          if (good.has(address)) continue;
          const reason = await badReason(address);
          if (reason !== null) return { position, reason };
          if (good.size >= rememberedMax) good.clear();
          good.add(address);
          count++;
        }
      }
      return null;
    },
  };
}
