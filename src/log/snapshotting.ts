import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import { checkSnapshots } from './check-snapshots.ts';
import { snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';
import { snapshotEvery, takeSnapshots } from './take-snapshots.ts';

/** Maximum positions whose snapshots are in flight. At the maximum, only the newest position that is due waits. */
const inFlightMax = 8;

/** Keeps snapshots while a run moves. */
export interface Snapshotting {
  /** Folds recorded events, each once and in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Returns the states of the folds after the last recorded event. */
  states(): readonly unknown[];
  /** Names no more snapshots in the log. Called before the append after which the run is at rest, because no event may follow that. */
  finish(): void;
  /** Finishes, and waits until everything in flight is stored. */
  close(): Promise<void>;
}

/** States of several folds, in their order, after the event at a position. */
interface StatesAt {
  readonly position: number;
  readonly states: readonly unknown[];
}

export interface SnapshottingOptions {
  readonly folds: readonly Foldable<unknown>[];
  readonly logId: string;
  /** Appends as the run's driver. An event that is passed within `recorded` goes along with the driver's next append. */
  readonly append: (events: readonly NewEvent[]) => Promise<readonly RecordedEvent[]>;
  /** The states of the folds before the first recorded event. */
  readonly start: StatesAt;
  /** Events between two snapshots. */
  readonly every?: number | undefined;
}

/**
 * Folds a run's events as they are recorded, and takes a snapshot of each fold every `every` events. When a snapshot is due, its hash is named in the log at
 * once. The state is stored off the hot path, after that event is recorded. A failed snapshot loses no data.
 *
 * If the log has no snapshots at all, because another version wrote it, those of its past are stored too, one after the other.
 *
 * The events that name snapshots are folded like all others. There is one in `every` events, so they never cause snapshots by themselves.
 */
export function snapshotting(
  store: Pick<Store, 'log' | 'snapshots'>,
  { folds, logId, append, start, every = snapshotEvery }: SnapshottingOptions,
): Snapshotting {
  let { states } = start;
  let due = nextDue(start.position, every);
  let latest: StatesAt | null = null;
  let storingPast: Promise<void> | null = null;
  let isFinished = false;
  const inFlight = new Set<Promise<void>>();

  /** Stores the snapshots that should lie at or below the start if the log has none. Stops when the run is about to rest. */
  const storePast = async (): Promise<void> => {
    try {
      if (start.position < every) return;
      const found = await store.snapshots.nearest(folds.map((fold) => ({ ...snapshotKey(fold, logId), position: start.position })));
      if (found.some((snapshot) => snapshot !== null)) return;
      const onMissing = async (at: StatesAt): Promise<void> => {
        if (isFinished) throw new Error('the run is about to rest');
        await keep(at);
      };
      await checkSnapshots(store, folds, logId, { onMissing, to: start.position, every });
    } catch {
      // The next driver checks again.
    }
  };

  const keepLatest = (): void => {
    if (!latest || isFinished || inFlight.size >= inFlightMax) return;
    const keeping = keep(latest).catch(() => undefined);
    latest = null;
    inFlight.add(keeping);
    void keeping.then(() => {
      inFlight.delete(keeping);
      keepLatest();
    });
  };

  const keep = async (at: StatesAt): Promise<void> => {
    const newSnapshots = takeSnapshots(folds, logId, at);
    const [named] = await append([newSnapshots.event]);
    if (named) await newSnapshots.store(store.snapshots, named.position);
  };

  const finish = (): void => {
    isFinished = true;
  };

  return {
    recorded: (events) => {
      for (let from = 0; from < events.length; ) {
        const dueAt = isFinished ? -1 : events.findIndex((event, index) => index >= from && event.position === due);
        const part = events.slice(from, dueAt === -1 ? events.length : dueAt + 1);
        from += part.length;
        const before = states;
        states = folds.map((fold, index) => part.reduce((state, event) => fold.evolve(state, event), before[index]));
        if (dueAt === -1) continue;
        storingPast ??= storePast();
        latest = { position: due, states };
        due = nextDue(due, every);
        keepLatest();
      }
    },
    states: () => states,
    finish,
    close: async () => {
      finish();
      await Promise.all([storingPast, ...inFlight]);
    },
  };
}

const nextDue = (position: number, every: number): number => (Math.floor(position / every) + 1) * every;
