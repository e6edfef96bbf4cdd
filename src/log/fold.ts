import { z } from 'zod';
import { schemaText } from '../../schema/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { EventLog } from './event-log.ts';
import type { Foldable } from './foldable.ts';
import type { Snapshot, SnapshotKey } from './snapshot-store.ts';
import type { Store } from './store.ts';

export type FoldStore = Pick<Store, 'log' | 'snapshots'>;
type Foldables<States extends readonly unknown[]> = { readonly [Index in keyof States]: Foldable<States[Index]> };

/** Returns a fold's state as of a position. Starts from the newest snapshot at or before it, and folds the events after that. */
export async function foldAt<State>(store: FoldStore, fold: Foldable<State>, logId: string, position: number): Promise<State> {
  const [state] = await foldAll<[State]>(store, [fold], logId, position);
  return state;
}

/**
 * Returns the states of several folds as of a position, in their order. All snapshots are read with one query. The log is read once, from the oldest of
 * these snapshots.
 */
export async function foldAll<States extends readonly unknown[]>(
  store: FoldStore,
  folds: Foldables<States>,
  logId: string,
  position: number,
): Promise<States> {
  const [states] = await foldAllAtEach<States>(store, folds, logId, [position]);
  return states as States;
}

/**
 * Returns the states of several folds as of each of several positions, in the order of the positions. All snapshots are read with one query, and no event
 * is read twice.
 */
export async function foldAllAtEach<States extends readonly unknown[]>(
  store: FoldStore,
  folds: Foldables<States>,
  logId: string,
  positions: readonly number[],
): Promise<readonly States[]> {
  const allFolds: readonly Foldable<unknown>[] = folds;
  const ascending = [...new Set(positions)].sort((a, b) => a - b);
  const wanted = ascending.flatMap((position) => allFolds.map((fold) => ({ ...snapshotKey(fold, logId), position })));
  const nearest = await store.snapshots.nearest(wanted);
  const heads: Snapshot[] = allFolds.map((fold) => ({ position: 0, state: fold.initialState() }));
  const found = new Map<number, States>();
  for (const [at, position] of ascending.entries()) {
    for (const index of allFolds.keys()) {
      const snapshot = nearest[at * allFolds.length + index];
      if (snapshot && snapshot.position > (heads[index]?.position ?? 0)) heads[index] = snapshot;
    }
    await foldTail(store.log, allFolds, heads, { logId, position });
    found.set(position, heads.map(({ state }) => state) as readonly unknown[] as States);
  }
  return positions.map((position) => found.get(position) as States);
}

/** Folds states, each from its own position, up to a position that none of them has passed. */
async function foldTail(
  log: EventLog,
  folds: readonly Foldable<unknown>[],
  heads: Snapshot[],
  { logId, position }: { readonly logId: string; readonly position: number },
): Promise<void> {
  const from = Math.min(position, ...heads.map((head) => head.position)) + 1;
  if (from <= position) {
    for await (const page of log.read(logId, { from, to: position })) {
      for (const [index, fold] of folds.entries()) {
        const head = heads[index] as Snapshot;
        const state = page.reduce((before, event) => (event.position > head.position ? fold.evolve(before, event) : before), head.state);
        heads[index] = { position: head.position, state };
      }
    }
  }
  for (const [index, { state }] of heads.entries()) heads[index] = { position, state };
}

/** Returns the states of folds after the events of a range. `before` are their states just before it. */
export async function foldRange<States extends readonly unknown[]>(
  log: EventLog,
  folds: Foldables<States>,
  before: States,
  { logId, ...range }: { readonly logId: string; readonly from: number; readonly to: number },
): Promise<States> {
  const each: readonly Foldable<unknown>[] = folds;
  let states: readonly unknown[] = before;
  for await (const page of log.read(logId, range))
    states = each.map((fold, index) => page.reduce((state, event) => fold.evolve(state, event), states[index]));
  return states as States;
}

/** Returns the key under which snapshots of a fold over a log are stored. */
export const snapshotKey = ({ name, version }: Foldable<unknown>, logId: string): SnapshotKey => ({
  logId,
  projection: name,
  version,
  fingerprint: eventFingerprint(),
});

let fingerprint: string | undefined;

/** Returns a hash that changes with any event's shape or upcaster. States that were folded with others are never read. */
function eventFingerprint(): string {
  fingerprint ??= sha256(schemaText((schema) => z.toJSONSchema(schema, { unrepresentable: 'any' })));
  return fingerprint;
}
