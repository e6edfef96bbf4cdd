import { z } from 'zod';
import { schemaText } from '../../schema/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { EventLog } from './event-log.ts';
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
  const [state] = await foldAllAt<[State]>(store, [fold], logId, position);
  return state;
}

/** Returns the states of some folds as of a position, in their order. The log is read once, from the snapshot that lies farthest back. */
export async function foldAllAt<States extends readonly unknown[]>(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: { readonly [Index in keyof States]: Foldable<States[Index]> },
  logId: string,
  position: number,
): Promise<States> {
  const each: readonly Foldable<unknown>[] = folds;
  const nearest = await Promise.all(each.map((fold) => store.snapshots.nearest(snapshotKey(fold, logId), position)));
  const starts = nearest.map((snapshot) => snapshot?.position ?? 0);
  const states = each.map((fold, index) => {
    const snapshot = nearest[index];
    return snapshot ? snapshot.state : fold.initialState();
  });
  for await (const page of store.log.read(logId, { from: Math.min(position, ...starts) + 1, to: position })) {
    for (const [index, fold] of each.entries()) {
      const start = starts[index] ?? 0;
      states[index] = page.reduce((state, event) => (event.position > start ? fold.evolve(state, event) : state), states[index]);
    }
  }
  return states as readonly unknown[] as States;
}

/** Returns states of folds after the events of a range that follows them. */
export async function foldOn<States extends readonly unknown[]>(
  log: EventLog,
  folds: { readonly [Index in keyof States]: Foldable<States[Index]> },
  before: States,
  { logId, ...range }: { readonly logId: string; readonly from: number; readonly to: number },
): Promise<States> {
  const each: readonly Foldable<unknown>[] = folds;
  let states: readonly unknown[] = before;
  for await (const page of log.read(logId, range))
    states = each.map((fold, index) => page.reduce((state, event) => fold.evolve(state, event), states[index]));
  return states as States;
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
