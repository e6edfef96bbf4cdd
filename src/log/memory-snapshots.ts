import { canonicalJson } from '#kit/json';
import type { SnapshotKey, SnapshotStore } from './snapshot-store.ts';

/** The snapshots of a memory store. States are kept as text: what JSON does not keep of them is lost, as in a database. */
export function memorySnapshots(): SnapshotStore {
  const logs = new Map<string, Map<string, Map<number, string>>>();
  const statesOf = (key: SnapshotKey) => logs.get(key.logId)?.get(nameOf(key));
  const positionsOf = (key: SnapshotKey) => [...(statesOf(key)?.keys() ?? [])].sort((a, b) => a - b);
  return {
    nearest: async (key, position) => {
      const at = positionsOf(key).findLast((each) => each <= position);
      const state = at === undefined ? undefined : statesOf(key)?.get(at);
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

const nameOf = ({ projection, version, fingerprint }: SnapshotKey): string => `${projection}/${version}/${fingerprint}`;
