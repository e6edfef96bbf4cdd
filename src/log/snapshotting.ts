import type { RecordedEvent } from '#schema';
import { foldAt, snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';

/** Events between two snapshots. */
export const snapshotEvery = 500;

/** Keeps snapshots while a run moves. */
export interface Snapshotting {
  /** Takes in recorded events, each once and in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Ends with what is being written. */
  close(): Promise<void>;
}

/**
 * Folds along with a run and keeps a snapshot of each fold every so many events, off the hot path: one round of writes at a time, always of the newest
 * states, and one that fails is no loss. Modes: gathering (events, until the first snapshot is due) → folding (the states before those events are read,
 * once, and go along from then on) → gathering again, where they could not be read.
 */
export function snapshotting(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  logId: string,
  every = snapshotEvery,
): Snapshotting {
  let gathered: RecordedEvent[] = [];
  let states: readonly unknown[] | null = null;
  let position = 0;
  let due: number | null = null;
  let writing: Promise<void> | null = null;

  const evolve = (from: readonly unknown[], events: readonly RecordedEvent[]): readonly unknown[] =>
    folds.map((fold, index) => events.reduce((state, event) => fold.evolve(state, event), from[index]));

  const startFolding = async (): Promise<void> => {
    const before = (gathered[0]?.position ?? 1) - 1;
    try {
      const read = await Promise.all(folds.map((fold) => foldAt(store, fold, logId, before)));
      // In one go with what was recorded meanwhile, so that no event falls in between.
      states = evolve(read, gathered);
    } finally {
      gathered = [];
    }
  };

  const write = async (): Promise<void> => {
    if (!states) await startFolding();
    const newest = { position, states };
    for (const [index, fold] of folds.entries()) {
      await store.snapshots.save(snapshotKey(fold, logId), { position: newest.position, state: newest.states?.[index] });
    }
  };

  return {
    recorded: (events) => {
      const last = events.at(-1);
      if (!last) return;
      due ??= nextDue(position || last.position - events.length, every);
      position = last.position;
      if (states) states = evolve(states, events);
      else gathered.push(...events);
      if (position < due || writing) return;
      due = nextDue(position, every);
      writing = write()
        .catch(() => undefined)
        .finally(() => {
          writing = null;
        });
    },
    close: async () => {
      await writing;
    },
  };
}

const nextDue = (position: number, every: number): number => (Math.floor(position / every) + 1) * every;
