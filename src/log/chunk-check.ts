import { codeOf, messageOf } from '../kit/fault.ts';
import type { StoredEvent } from './event-log.ts';
import type { ChunkStore } from './chunk-store.ts';

/** Addresses of good chunks that are remembered, so that a chunk that many events name is read once: some 10 MB. */
const rememberedMax = 100_000;

export interface ChunkCheck {
  /** The first of some events with a chunk that is missing or has other bytes. Throws what else keeps a chunk from being read. */
  firstBad(events: readonly StoredEvent[]): Promise<{ readonly position: number; readonly reason: string } | null>;
  /** Chunks that were found good. */
  count(): number;
}

/** Reads the chunks that events name; each address once, unless there are very many. */
export function chunkCheck(chunks: ChunkStore): ChunkCheck {
  const good = new Set<string>();
  let count = 0;

  const badReason = async (address: string): Promise<string | null> => {
    try {
      await chunks.get(address);
      return null;
    } catch (error) {
      // A store that is away says nothing about what it holds.
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
