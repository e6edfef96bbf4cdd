import type { RecordedEvent } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { pageCursor } from './page-cursor.ts';
import { snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import { explainUnnamed } from './named-snapshot.ts';
import { snapshotEvery } from './take-snapshots.ts';
import type { FoundSnapshot, SnapshotKey, SnapshotStore } from './snapshot-store.ts';
import type { Store } from './store.ts';

/** A snapshot that the log does not name, or that differs from the state that the events give. */
export interface FalseSnapshot {
  readonly projection: string;
  readonly position: number;
  readonly reason: string;
}

/** The result of a comparison of snapshots with the log. */
export interface CheckedSnapshots {
  /** Number of snapshots that were compared with the states that the events give. */
  readonly snapshots: number;
  /** Number of snapshots of other versions of distilog. They are never read, so only their hashes were compared. */
  readonly foreign: number;
  /** The false snapshot at the lowest position, or null. */
  readonly firstDifference: FalseSnapshot | null;
}

export interface CheckSnapshotsOptions {
  /** Receives, in order, each position at which a true snapshot of some fold is missing, with the states of all folds there. */
  readonly onMissing?: ((at: { readonly position: number; readonly states: readonly unknown[] }) => Promise<void>) | undefined;
  /** Last position to fold; default: the head at the start. */
  readonly to?: number | undefined;
  /** Events between two positions at which snapshots should lie. */
  readonly every?: number | undefined;
}

/**
 * Folds a log from its start without snapshots, and compares every stored snapshot of the folds with the state at its position and with the hash that the
 * log names. Its memory does not grow with the log.
 */
export async function checkSnapshots(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  logId: string,
  { onMissing, to, every = snapshotEvery }: CheckSnapshotsOptions = {},
): Promise<CheckedSnapshots> {
  const head = to ?? (await store.log.head(logId))?.position ?? 0;
  const checks = folds.map((fold) => createCheck(store.snapshots, fold, logId));
  let mark = every;

  /** Compares the snapshots below a position with the current states. */
  const compareBelow = async (position: number): Promise<void> => {
    for (; mark < position; mark += every) {
      for (const check of checks) await check.compareBelow(mark + 1);
      if (onMissing && checks.some((check) => !check.isTrueAt(mark)))
        await onMissing({ position: mark, states: checks.map((check) => check.state()) });
    }
    for (const check of checks) await check.compareBelow(position);
  };

  try {
    for await (const page of store.log.read(logId, { to: head })) {
      for (const event of page) {
        // Events that this program cannot read are not in the page, but a snapshot may lie at their position.
        await compareBelow(event.position);
        for (const check of checks) check.evolve(event);
      }
    }
    await compareBelow(head + 1);
    // Snapshots that a driver has taken meanwhile are not compared.
    const end = (await store.log.head(logId))?.position ?? 0;
    for (const check of checks) await check.refuseBeyond(end);
  } finally {
    for (const check of checks) await check.close();
  }
  const foreign = await checkForeign(store.snapshots, folds, logId);
  const found = [
    ...checks.flatMap((check) => check.firstDifference() ?? []),
    ...(foreign.firstDifference ? [foreign.firstDifference] : []),
  ];
  const [firstDifference = null] = found.sort((a, b) => a.position - b.position);
  return { snapshots: checks.reduce((sum, check) => sum + check.count(), 0), foreign: foreign.count, firstDifference };
}

/** Creates the check of one fold's snapshots. It is folded along with the log. */
function createCheck<State>(store: SnapshotStore, fold: Foldable<State>, logId: string) {
  const key = snapshotKey(fold, logId);
  const stored = pageCursor(store.stored(key));
  let state = fold.initialState();
  let text: string | null = null;
  let next: FoundSnapshot | undefined | null = null;
  let count = 0;
  let lastTrue = 0;
  let firstDifference: FalseSnapshot | null = null;

  const takeNext = async (reasonOf: (snapshot: FoundSnapshot) => string | null): Promise<void> => {
    if (!next) return;
    const reason = reasonOf(next);
    if (reason === null) lastTrue = next.position;
    else firstDifference ??= { projection: fold.name, position: next.position, reason };
    count++;
    next = await stored.next();
  };

  return {
    count: () => count,
    state: (): unknown => state,
    firstDifference: () => firstDifference,
    isTrueAt: (position: number): boolean => lastTrue === position,
    evolve: (event: RecordedEvent): void => {
      state = fold.evolve(state, event);
      text = null;
    },
    compareBelow: async (position: number): Promise<void> => {
      if (next === null) next = await stored.next();
      while (next && next.position < position) {
        text ??= canonicalJson(state);
        const isSame = next.state === text;
        await takeNext((snapshot) => (isSame ? explainUnnamed(key, snapshot) : 'it is not the state that the events give'));
      }
    },
    refuseBeyond: async (end: number): Promise<void> => {
      while (next && next.position <= end) next = await stored.next();
      while (next) await takeNext(() => 'it lies beyond the end of the log');
    },
    close: () => stored[Symbol.asyncDispose](),
  };
}

/** Compares snapshots that this version never reads with the hashes that the log names. */
async function checkForeign(store: SnapshotStore, folds: readonly Foldable<unknown>[], logId: string) {
  const currentKeys = new Set(folds.map((fold) => keyText(snapshotKey(fold, logId))));
  let count = 0;
  let firstDifference: FalseSnapshot | null = null;
  for (const key of await store.keys(logId)) {
    if (currentKeys.has(keyText(key))) continue;
    for await (const page of store.stored(key)) {
      count += page.length;
      for (const snapshot of page) {
        const { position } = snapshot;
        const reason = explainUnnamed(key, snapshot);
        if (reason !== null && (firstDifference === null || position < firstDifference.position))
          firstDifference = { projection: key.projection, position, reason };
      }
    }
  }
  return { count, firstDifference };
}

const keyText = ({ projection, version, fingerprint }: SnapshotKey): string => `${projection}/${version}/${fingerprint}`;
