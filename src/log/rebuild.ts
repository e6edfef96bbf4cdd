import { canonicalJson } from '#kit/json';
import { snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';

/** What `rebuild` found: how many snapshots there were, and the first that another fold of the same events does not give. */
export interface Rebuilt {
  readonly snapshots: number;
  readonly firstDifference: { readonly projection: string; readonly position: number } | null;
}

/**
 * Folds a log anew, without snapshots, and compares each snapshot that is kept with the state there; then drops them and keeps those of the head, unless
 * only asked to check.
 */
export async function rebuild(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  logId: string,
  { check }: { readonly check: boolean },
): Promise<Rebuilt> {
  const head = (await store.log.head(logId))?.position ?? 0;
  const checked = await Promise.all(folds.map((fold) => checkedFold(store, fold, logId)));
  const snapshots = checked.reduce((sum, { kept }) => sum + kept, 0);

  for await (const page of store.log.read(logId, { to: head })) {
    for (const event of page) {
      for (const fold of checked) {
        // An event that this program cannot read is not in the page, and may have a snapshot at its place: compared before what follows.
        await fold.compareBelow(event.position);
        fold.evolve(event);
      }
    }
  }
  for (const fold of checked) await fold.compareBelow(head + 1);
  const differences = checked.flatMap(({ firstDifference }) => firstDifference() ?? []);
  const [firstDifference = null] = differences.sort((a, b) => a.position - b.position);

  if (!check) {
    await store.snapshots.drop(logId);
    if (head > 0) await Promise.all(checked.map((fold) => fold.save(head)));
  }
  return { snapshots, firstDifference };
}

/** A fold that goes through a log while its snapshots are compared. */
async function checkedFold<State>(store: Pick<Store, 'snapshots'>, fold: Foldable<State>, logId: string) {
  const key = snapshotKey(fold, logId);
  const positions = await store.snapshots.positions(key);
  let state = fold.initialState();
  let compared = 0;
  let different: number | null = null;
  return {
    kept: positions.length,
    evolve: (event: Parameters<typeof fold.evolve>[1]): void => {
      state = fold.evolve(state, event);
    },
    /** Compares the snapshots below a position with the state as it is. */
    compareBelow: async (position: number): Promise<void> => {
      for (let at = positions[compared]; at !== undefined && at < position; at = positions[++compared]) {
        if (different !== null) continue;
        const snapshot = await store.snapshots.nearest(key, at);
        const isSame = snapshot?.position === at && canonicalJson(snapshot.state) === canonicalJson(state);
        if (!isSame) different = at;
      }
    },
    /** A snapshot that is left over lies beyond the head: no event gives it. */
    firstDifference: (): Rebuilt['firstDifference'] => {
      const position = different ?? positions[compared];
      return position === undefined ? null : { projection: fold.name, position };
    },
    save: (position: number): Promise<void> => store.snapshots.save(key, { position, state }),
  };
}
