// Snapshots as a driver takes them: named in the log, then stored.
import {
  foldAt,
  runLogId,
  takeSnapshots,
  type Appender,
  type Foldable,
  type Snapshot,
  type SnapshotKey,
  type SnapshotStore,
  type Store,
} from '../../../src/log/index.ts';
import { allOf, runId } from './log-fixture.ts';

/** Names snapshots of folds as of a position in the run's log, and stores them. Returns the position of the event that names them. */
export async function keepSnapshots(
  store: Store,
  appender: Pick<Appender, 'append'>,
  folds: readonly Foldable<unknown>[],
  position: number,
): Promise<number> {
  const logId = runLogId(runId);
  const states = await Promise.all(folds.map((fold) => foldAt(store, fold, logId, position)));
  const taken = takeSnapshots(folds, logId, { position, states });
  const [named] = await appender.append([taken.event]);
  if (!named) throw new Error('nothing was appended');
  await taken.store(store.snapshots, named.position);
  return named.position;
}

/** Returns the positions of all snapshots under a key, including those that the log does not name. */
export const positionsOf = async (snapshots: SnapshotStore, key: Parameters<SnapshotStore['stored']>[0]): Promise<readonly number[]> =>
  (await allOf(snapshots.stored(key))).map(({ position }) => position);

/** Reads the nearest snapshot of one key. */
export async function nearest(store: Store, key: SnapshotKey, position: number): Promise<Snapshot | null> {
  const [found = null] = await store.snapshots.nearest([{ ...key, position }]);
  return found;
}
