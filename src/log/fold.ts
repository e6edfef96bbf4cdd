import { z } from 'zod';
import { schemaText } from '#schema';
import { sha256 } from '#kit/sha256';
import type { Foldable } from './foldable.ts';
import type { SnapshotKey } from './snapshot-store.ts';
import type { Store } from './store.ts';

/** A fold's state as of a position: the nearest snapshot at or before it, then the tail. */
export async function foldAt<State>(
  store: Pick<Store, 'log' | 'snapshots'>,
  fold: Foldable<State>,
  logId: string,
  position: number,
): Promise<State> {
  const nearest = await store.snapshots.nearest(snapshotKey(fold, logId), position);
  let state = nearest ? (nearest.state as State) : fold.initialState();
  for await (const page of store.log.read(logId, { from: (nearest?.position ?? 0) + 1, to: position })) {
    for (const event of page) state = fold.evolve(state, event);
  }
  return state;
}

/** Where snapshots of a fold over a log are kept. */
export const snapshotKey = ({ name, version }: Foldable<unknown>, logId: string): SnapshotKey => ({
  logId,
  projection: name,
  version,
  fingerprint: eventFingerprint(),
});

let fingerprint: string | undefined;

/** Changes whenever an event's shape or an upcaster does: states folded with others are never read. */
function eventFingerprint(): string {
  fingerprint ??= sha256(schemaText((schema) => z.toJSONSchema(schema, { unrepresentable: 'any' })));
  return fingerprint;
}
