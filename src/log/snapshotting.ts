import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import { checkSnapshots } from './check-snapshots.ts';
import { foldAll, foldOn, snapshotKey } from './fold.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';
import { snapshotEvery, takeSnapshots } from './take-snapshots.ts';

/** Positions whose snapshots may be named or written at a time. While there is no room, the newest that is due takes the place of the one before it. */
const underWayMax = 8;
/** Events that are gathered while the first states are read; beyond that they are read from the log again. */
const gatheredMax = 5_000;

/** Keeps snapshots while a run moves. */
export interface Snapshotting {
  /** Folds recorded events, each once and in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Returns the states of the folds after the last recorded event, or null while they are not known. */
  states(): readonly unknown[] | null;
  /** Names no more snapshots in the log. Called before the append that brings the run to rest, so that nothing follows that. */
  finish(): void;
  /** Finishes, and waits for what is being written. */
  close(): Promise<void>;
}

export interface SnapshottingOptions {
  readonly folds: readonly Foldable<unknown>[];
  readonly logId: string;
  /** Appends as the run's driver. An event that is passed within `recorded` goes along with the driver's next append. */
  readonly append: (events: readonly NewEvent[]) => Promise<readonly RecordedEvent[]>;
  /** The states of the folds before the first recorded event, where the caller has read them. They are read when a snapshot is due otherwise. */
  readonly start?: { readonly position: number; readonly states: readonly unknown[] } | undefined;
  /** Events between two snapshots. */
  readonly every?: number | undefined;
}

/**
 * Folds along with a run and keeps a snapshot of each fold every so many events: names the hashes in the log as soon as a snapshot is due, and writes the
 * states off the hot path once that is recorded. One that fails is no loss. Modes: gathering (events, until the first snapshot is due) → folding (the
 * states before those events are read, once, and go along from then on) → gathering again, where they could not be read; from any to finished.
 *
 * Where the log had none at all, because another version wrote it, those of its past are stored too, one after the other.
 *
 * The events that name snapshots are folded like all others. They are one in `every`, so snapshots of them alone never follow each other.
 */
export function snapshotting(
  store: Pick<Store, 'log' | 'snapshots'>,
  { folds, logId, append, start, every = snapshotEvery }: SnapshottingOptions,
): Snapshotting {
  let gathered: RecordedEvent[] = [];
  let states: readonly unknown[] | null = start?.states ?? null;
  let position = start?.position ?? 0;
  let due: number | null = null;
  let latest: { readonly position: number; readonly states: readonly unknown[] } | null = null;
  let starting: Promise<void> | null = null;
  let checkingPast: Promise<void> | null = null;
  let storingPast: Promise<void> | null = null;
  let isFinished = false;
  const underWay = new Set<Promise<void>>();

  const evolve = (from: readonly unknown[], events: readonly RecordedEvent[]): readonly unknown[] =>
    folds.map((fold, index) => events.reduce((state, event) => fold.evolve(state, event), from[index]));

  const startFolding = async (): Promise<void> => {
    let before = (gathered[0]?.position ?? 1) - 1;
    let missed: readonly RecordedEvent[] = [];
    try {
      const start = before;
      const isBare = start >= every && (await hasNone(start));
      let read = await foldAll<readonly unknown[]>(store, folds, logId, before);
      // A log without snapshots takes long to fold, and its driver does not wait.
      while (before + 1 < (gathered[0]?.position ?? position + 1)) {
        const range = { logId, from: before + 1, to: position };
        gathered = [];
        read = await foldOn(store.log, folds, read, range);
        before = range.to;
      }
      states = read;
      due = nextDue(before, every);
      missed = gathered;
      if (isBare) storingPast ??= storePast(start).catch(() => undefined);
    } catch {
      // The next snapshot that is due is as good.
    } finally {
      gathered = [];
      starting = null;
    }
    // In one go with what was recorded meanwhile, so that no event falls in between.
    goOn(missed);
  };

  const hasNone = async (position: number): Promise<boolean> => {
    const found = await store.snapshots.nearest(folds.map((fold) => ({ ...snapshotKey(fold, logId), position })));
    return found.every((each) => each === null);
  };

  /** Stores the snapshots of the past where a log was written without any. */
  const checkPast = async (to: number): Promise<void> => {
    try {
      if (to >= every && (await hasNone(to))) storingPast ??= storePast(to).catch(() => undefined);
    } catch {
      // The next driver checks again.
    }
  };

  /** Stores the snapshots that should lie at or below a position. Ends where the run is about to rest. */
  const storePast = async (to: number): Promise<void> => {
    const onMissing = async (at: { readonly position: number; readonly states: readonly unknown[] }): Promise<void> => {
      if (isFinished) throw new Error('the run is about to rest');
      await keep(at);
    };
    await checkSnapshots(store, folds, logId, { onMissing, to, every });
  };

  const takeLatest = (): void => {
    if (!latest || isFinished || underWay.size >= underWayMax) return;
    const kept = keep(latest).catch(() => undefined);
    latest = null;
    underWay.add(kept);
    void kept.then(() => {
      underWay.delete(kept);
      takeLatest();
    });
  };

  const keep = async (at: { readonly position: number; readonly states: readonly unknown[] }): Promise<void> => {
    const taken = takeSnapshots(folds, logId, at);
    const [named] = await append([taken.event]);
    if (named) await taken.store(store.snapshots, named.position);
  };

  const isDue = (): void => {
    due = nextDue(position, every);
    if (states) {
      if (start) checkingPast ??= checkPast(start.position);
      latest = { position, states };
      takeLatest();
    } else starting ??= startFolding();
  };

  const goOn = (events: readonly RecordedEvent[]): void => {
    if (isFinished) {
      if (states) states = evolve(states, events);
      return;
    }
    for (let from = 0; from < events.length; ) {
      due ??= nextDue((events[0]?.position ?? 1) - 1, every);
      const dueAt = events.findIndex((event, index) => index >= from && event.position === due);
      const part = events.slice(from, dueAt === -1 ? events.length : dueAt + 1);
      from += part.length;
      position = part.at(-1)?.position ?? position;
      if (states) states = evolve(states, part);
      else {
        if (gathered.length > gatheredMax) gathered = [];
        gathered.push(...part);
      }
      if (dueAt !== -1) isDue();
    }
  };

  const finish = (): void => {
    isFinished = true;
  };

  return {
    recorded: goOn,
    states: () => states,
    finish,
    close: async () => {
      finish();
      await starting;
      await checkingPast;
      await Promise.all([storingPast, ...underWay]);
    },
  };
}

const nextDue = (position: number, every: number): number => (Math.floor(position / every) + 1) * every;
