import type { RecordedEvent } from '#schema';
import { foldAt, snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';

/** Events between two snapshots. */
export const snapshotEvery = 500;
/** States that may wait until those before them are written; beyond that the newest takes the place of the one before it. */
const waitingMax = 8;

/** Keeps snapshots while a run moves. */
export interface Snapshotting {
  /** Takes in recorded events, each once and in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Ends with what is being written. */
  close(): Promise<void>;
}

/**
 * Folds along with a run and keeps a snapshot of each fold every so many events, off the hot path: one round of writes at a time, of all states that came
 * due meanwhile, and one that fails is no loss. Modes: gathering (events, until the first snapshot is due) → folding (the states before those events are
 * read, once, and go along from then on) → gathering again, where they could not be read.
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
  const waiting: { readonly position: number; readonly states: readonly unknown[] }[] = [];
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

  /** Keeps the states as they are now, to be written. */
  const take = (): void => {
    if (!states) return;
    if (waiting.length === waitingMax) waiting.pop();
    waiting.push({ position, states });
  };

  const writeRound = async (round: typeof waiting): Promise<void> => {
    const saved = round.flatMap((taken) =>
      folds.map((fold, index) => store.snapshots.save(snapshotKey(fold, logId), { position: taken.position, state: taken.states[index] })),
    );
    await Promise.all(saved);
  };

  const write = async (): Promise<void> => {
    try {
      if (!states) {
        await startFolding();
        take();
      }
      while (waiting.length > 0) await writeRound(waiting.splice(0));
    } catch {
      // The next round is as good.
    } finally {
      writing = null;
    }
  };

  const isDue = (): void => {
    due = nextDue(position, every);
    take();
    writing ??= write();
  };

  return {
    recorded: (events) => {
      for (let from = 0; from < events.length; ) {
        due ??= nextDue((events[0]?.position ?? 1) - 1, every);
        const dueAt = events.findIndex((event, index) => index >= from && event.position === due);
        const part = events.slice(from, dueAt === -1 ? events.length : dueAt + 1);
        from += part.length;
        position = part.at(-1)?.position ?? position;
        if (states) states = evolve(states, part);
        else gathered.push(...part);
        if (dueAt !== -1) isDue();
      }
    },
    close: async () => {
      await writing;
    },
  };
}

const nextDue = (position: number, every: number): number => (Math.floor(position / every) + 1) * every;
