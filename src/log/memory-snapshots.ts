import { Fault } from '../kit/fault.ts';
import type { StoredEvent } from './event-log.ts';
import { explainUnnamed } from './named-snapshot.ts';
import type { FoundSnapshot, SnapshotKey, SnapshotStore, StoredSnapshot } from './snapshot-store.ts';

/** A stored snapshot under its key. */
export type MemorySnapshot = SnapshotKey & StoredSnapshot;

/** A snapshot store in memory. */
export interface MemorySnapshots extends SnapshotStore {
  /** Every snapshot, for tests that alter them as the owner of a database can. */
  readonly rows: MemorySnapshot[];
}

/** Creates the snapshot store of a memory store. `eventAt` returns the events of its logs. */
export function memorySnapshots(eventAt: (logId: string, position: number) => StoredEvent | undefined): MemorySnapshots {
  const rows: MemorySnapshot[] = [];
  const found = (row: MemorySnapshot): FoundSnapshot => ({ ...row, naming: eventAt(row.logId, row.namedAt) ?? null });
  const ofKey = (key: SnapshotKey) => rows.filter((row) => isOf(row, key)).sort((a, b) => a.position - b.position || a.namedAt - b.namedAt);

  /** Returns whether a snapshot must still be stored. Returns false if it is stored already. */
  const isNew = (row: MemorySnapshot): boolean => {
    const reason = explainUnnamed(row, found(row));
    if (reason !== null)
      throw new Fault('snapshot-not-named', `A snapshot of ${row.projection} at position ${row.position} is refused: ${reason}`);
    const stored = ofKey(row).find(({ position, namedAt }) => position === row.position && namedAt === row.namedAt);
    if (stored && stored.state !== row.state)
      throw new Fault('snapshot-differs', `Another state of ${row.projection} at position ${row.position} is stored`);
    return !stored;
  };

  return {
    rows,
    nearest: async (wanted) =>
      wanted.map((key) => {
        const accepted = ofKey(key).findLast((row) => row.position <= key.position && explainUnnamed(key, found(row)) === null);
        return accepted ? { position: accepted.position, state: JSON.parse(accepted.state) as unknown } : null;
      }),
    put: async (snapshots) => {
      // All snapshots are checked before the first one is stored.
      for (const row of snapshots) isNew(row);
      for (const row of snapshots) if (isNew(row)) rows.push({ ...row });
    },
    keys: async (logId) => {
      const keys = rows
        .filter((row) => row.logId === logId)
        .map(({ projection, version, fingerprint }) => ({ logId, projection, version, fingerprint }));
      return keys.filter((key, index) => keys.findIndex((each) => isOf(each, key)) === index);
    },
    stored: async function* (key) {
      const page = ofKey(key).map(found);
      if (page.length > 0) yield page;
    },
  };
}

const isOf = (row: SnapshotKey, { logId, projection, version, fingerprint }: SnapshotKey): boolean =>
  row.logId === logId && row.projection === projection && row.version === version && row.fingerprint === fingerprint;
