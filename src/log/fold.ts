import { z } from 'zod';
import { schemaText, type RecordedEvent } from '#schema';
import { canonicalJson } from '#kit/json';
import { sha256 } from '#kit/sha256';
import type { Foldable } from './foldable.ts';
import type { SnapshotKey } from './snapshot-store.ts';
import type { Store } from './store.ts';

/** Events between two snapshots that a driver writes. */
export const snapshotEvery = 1_000;

/** A fold's state as of a position: the nearest snapshot at or before it, then the tail. */
export async function foldAt<State>(
  store: Pick<Store, 'log' | 'snapshots'>,
  of: Foldable<State>,
  logId: string,
  position: number,
): Promise<State> {
  const nearest = await store.snapshots.nearest(snapshotKey(of, logId), position);
  let state = nearest ? (nearest.state as State) : of.initialState();
  for await (const page of store.log.read(logId, { from: (nearest?.position ?? 0) + 1, to: position })) {
    for (const event of page) state = of.evolve(state, event);
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
  fingerprint ??= sha256(schemaText((schema) => z.toJSONSchema(schema, { unrepresentable: 'any' }))).slice(0, 16);
  return fingerprint;
}

/** Keeps snapshots while a run moves. */
export interface Snapshotting {
  /** Takes in recorded events, in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Ends with what is being written. */
  close(): Promise<void>;
}

/**
 * Folds along with a run from `position` on and keeps a snapshot of each fold every so many events, off the hot path: never two writes at once, and one
 * that fails is no loss. It starts with states as they are folded when the first one is due, so it costs nothing before.
 */
export function snapshotting(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  logId: string,
  every = snapshotEvery,
): Snapshotting {
  let due: number | null = null;
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;

  const write = async (position: number): Promise<void> => {
    for (const of of folds) {
      const state = await foldAt(store, of, logId, position);
      await store.snapshots.save(snapshotKey(of, logId), { position, state });
    }
  };
  return {
    recorded: (events) => {
      const last = events.at(-1)?.position;
      if (last === undefined) return;
      due ??= Math.floor(last / every) * every + every;
      if (last < due || isWriting) return;
      due = Math.floor(last / every) * every + every;
      isWriting = true;
      writing = write(last)
        .catch(() => undefined)
        .finally(() => {
          isWriting = false;
        });
    },
    close: () => writing,
  };
}

/** What `rebuild` found: how many snapshots there were, and the first that another fold of the same events does not give. */
export interface Rebuilt {
  readonly snapshots: number;
  readonly firstDifference: { readonly projection: string; readonly position: number } | null;
}

/**
 * Folds a log anew, without snapshots, and compares each snapshot that is kept with the state there; then drops them, unless only asked to check, and
 * keeps new ones.
 */
export async function rebuild(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  logId: string,
  { check }: { readonly check: boolean },
): Promise<Rebuilt> {
  const head = (await store.log.head(logId))?.position ?? 0;
  let snapshots = 0;
  let firstDifference: Rebuilt['firstDifference'] = null;
  for (const of of folds) {
    const key = snapshotKey(of, logId);
    const kept = new Set(await store.snapshots.positions(key));
    snapshots += kept.size;
    let state = of.initialState();
    for await (const page of store.log.read(logId, { to: head })) {
      for (const event of page) {
        state = of.evolve(state, event);
        if (!kept.has(event.position)) continue;
        const snapshot = await store.snapshots.nearest(key, event.position);
        const isSame = snapshot?.position === event.position && canonicalJson(snapshot.state) === canonicalJson(state);
        if (!isSame && (firstDifference === null || event.position < firstDifference.position)) {
          firstDifference = { projection: of.name, position: event.position };
        }
      }
    }
  }
  if (!check) {
    await store.snapshots.drop(logId);
    for (const of of folds)
      await store.snapshots.save(snapshotKey(of, logId), { position: head, state: await foldAt(store, of, logId, head) });
  }
  return { snapshots, firstDifference };
}
