import { systemClock, type Clock } from '#kit/clock';
import { canonicalJson } from '#kit/json';
import { memoryChunks, memoryEventLog } from './memory-log.ts';
import type { SnapshotKey, SnapshotStore } from './snapshot-store.ts';
import type { Store } from './store.ts';

export interface MemoryStore extends Store {
  readonly log: ReturnType<typeof memoryEventLog>;
  readonly chunks: ReturnType<typeof memoryChunks>;
}

/** A store in memory, for tests and simulations: gone with the process. */
export function memoryStore({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): MemoryStore {
  const chunks = memoryChunks();
  return {
    log: memoryEventLog({ clock, has: (sha256) => chunks.bytes.has(sha256) }),
    chunks,
    snapshots: memorySnapshots(),
    close: async () => undefined,
  };
}

function memorySnapshots(): SnapshotStore {
  // States as text: what is kept is what JSON keeps of them, as in a database.
  const logs = new Map<string, Map<string, Map<number, string>>>();
  const nameOf = ({ projection, version, fingerprint }: SnapshotKey) => `${projection}/${version}/${fingerprint}`;
  const positionsOf = (key: SnapshotKey) => [...(logs.get(key.logId)?.get(nameOf(key))?.keys() ?? [])].sort((a, b) => a - b);
  return {
    nearest: async (key, position) => {
      const at = positionsOf(key).findLast((each) => each <= position);
      const state = at === undefined ? undefined : logs.get(key.logId)?.get(nameOf(key))?.get(at);
      return at === undefined || state === undefined ? null : { position: at, state: JSON.parse(state) as unknown };
    },
    save: async (key, { position, state }) => {
      const log = logs.get(key.logId) ?? new Map<string, Map<number, string>>();
      logs.set(key.logId, log);
      const states = log.get(nameOf(key)) ?? new Map<number, string>();
      log.set(nameOf(key), states);
      states.set(position, canonicalJson(state));
    },
    positions: async (key) => positionsOf(key),
    drop: async (logId) => {
      const dropped = [...(logs.get(logId)?.values() ?? [])].reduce((sum, states) => sum + states.size, 0);
      logs.delete(logId);
      return dropped;
    },
  };
}
