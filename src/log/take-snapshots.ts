import type { NewEvent } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';
import { snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { SnapshotKey, SnapshotStore, StoredSnapshot } from './snapshot-store.ts';

/** Events between two snapshots. */
export const snapshotEvery = 500;

/** New snapshots, and the event that will name them in the log. */
export interface TakenSnapshots {
  readonly event: NewEvent<'SnapshotsTaken'>;
  /** Stores the snapshots. Call it after the event is recorded, with the event's position. */
  store(snapshots: SnapshotStore, namedAt: number): Promise<void>;
}

/**
 * Takes snapshots of folds as of a position, given their states in the order of the folds. The event must be recorded first. A driver that is lost in between
 * then leaves a name without a snapshot, which does no harm, but never a snapshot without a name.
 */
export function takeSnapshots(
  folds: readonly Foldable<unknown>[],
  logId: string,
  { position, states }: { readonly position: number; readonly states: readonly unknown[] },
): TakenSnapshots {
  const newSnapshots = folds.map((fold, index): SnapshotKey & Omit<StoredSnapshot, 'namedAt'> => ({
    ...snapshotKey(fold, logId),
    position,
    state: canonicalJson(states[index]),
  }));
  const named = newSnapshots.map(({ projection, version, state }) => ({ projection, version, sha256: sha256(state) }));
  return {
    event: { type: 'SnapshotsTaken', data: { position, fingerprint: newSnapshots[0]?.fingerprint ?? '', states: named } },
    store: (snapshots, namedAt) => snapshots.put(newSnapshots.map((each) => ({ ...each, namedAt }))),
  };
}
