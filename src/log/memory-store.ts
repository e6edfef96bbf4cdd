import { systemClock, type Clock } from '#kit/clock';
import { memoryChunks, type MemoryChunks } from './memory-chunks.ts';
import { memoryEventLog, type MemoryEventLog } from './memory-event-log.ts';
import { memorySnapshots } from './memory-snapshots.ts';
import type { Store } from './store.ts';

export interface MemoryStore extends Store {
  readonly log: MemoryEventLog;
  readonly chunks: MemoryChunks;
}

/** A store in memory, for tests and simulations: gone with the process. */
export function memoryStore({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): MemoryStore {
  const chunks = memoryChunks();
  return {
    log: memoryEventLog({ clock, chunks: chunks.bytes }),
    chunks,
    snapshots: memorySnapshots(),
    close: async () => undefined,
  };
}
