import { systemClock, type Clock } from '../kit/clock.ts';
import { memoryChunks, type MemoryChunks } from './memory-chunks.ts';
import { memoryEventLog, type MemoryEventLog } from './memory-event-log.ts';
import { memorySnapshots, type MemorySnapshots } from './memory-snapshots.ts';
import type { Store } from './store.ts';

/** A store in memory. */
export interface MemoryStore extends Store {
  /** @internal */
  readonly log: MemoryEventLog;
  /** @internal */
  readonly chunks: MemoryChunks;
  /** @internal */
  readonly snapshots: MemorySnapshots;
}

/** Creates a store in memory, for tests and simulations. It is lost when the process ends. */
export function memoryStore({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): MemoryStore {
  const chunks = memoryChunks();
  const log = memoryEventLog({ clock, chunks: chunks.bytes });
  return {
    log,
    chunks,
    snapshots: memorySnapshots((logId, position) => log.logs.get(logId)?.events[position - 1]),
    close: async () => undefined,
  };
}
