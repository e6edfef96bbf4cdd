import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#schema';
import { foldAt, memoryStore, snapshotKey, snapshotting, type Foldable, type SnapshotStore, type Store } from '#log';
import { byType, folded, seen } from './counting.ts';
import { allOf, batchStarted, openRun, runId } from './log-fixture.ts';

const events = (from: number, count: number) => Array.from({ length: count }, (_, index) => batchStarted(from + index));
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function statesAreTrue(store: Store, fold: Foldable<unknown>): Promise<readonly number[]> {
  const positions = await store.snapshots.positions(snapshotKey(fold, runId));
  const all = await allOf(store.log.read(runId));
  for (const position of positions) {
    const snapshot = await store.snapshots.nearest(snapshotKey(fold, runId), position);
    expect(snapshot).toEqual({ position, state: folded(fold, all.slice(0, position)) });
  }
  return positions;
}

/** A store whose snapshots are saved when told to. */
function heldStore(save: (saved: number) => Promise<void>) {
  const store = memoryStore();
  const counts = { writing: 0, most: 0, saved: 0 };
  const snapshots: SnapshotStore = {
    ...store.snapshots,
    save: async (key, snapshot) => {
      counts.most = Math.max(counts.most, ++counts.writing);
      try {
        await save(counts.saved++);
        await store.snapshots.save(key, snapshot);
      } finally {
        counts.writing--;
      }
    },
  };
  return { store: { ...store, snapshots }, counts };
}

describe('snapshots while a run moves', () => {
  it('are kept of every fold, every so many events, and are what the events give', async () => {
    const store = memoryStore();
    const snapshots = snapshotting(store, [seen, byType], runId, 10);
    const appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
    for (let index = 0; index < 45; index++) {
      await appender.append(events(index * 10, 1));
      await turns(2);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40]);
    expect(await statesAreTrue(store, byType)).toEqual([10, 20, 30, 40]);
  });

  it('are kept within an append, too, however many events it has', async () => {
    const store = memoryStore();
    const snapshots = snapshotting(store, [seen], runId, 10);
    const appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
    for (const count of [12, 35, 1, 2]) {
      await appender.append(events(appender.position, count));
      await turns(4);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([13, 20, 30, 40, 50]);
  });

  it('go on from the middle of a log, from the snapshots that are there', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log, { onRecorded: (recorded) => current?.recorded(recorded) });
    let current: ReturnType<typeof snapshotting> | null = null;
    await appender.append(events(0, 23));
    await store.snapshots.save(snapshotKey(seen, runId), { position: 20, state: await foldAt(store, seen, runId, 20) });
    current = snapshotting(store, [seen], runId, 10);
    for (let index = 0; index < 10; index++) {
      await appender.append(events(100 + index, 1));
      await turns(2);
    }
    await current.close();
    expect(await statesAreTrue(store, seen)).toEqual([20, 30]);
  });

  it('are written one round at a time; a slow one is followed by all that came due meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    const { store, counts } = heldStore((saved) => (saved < 2 ? gate.promise : Promise.resolve()));
    const snapshots = snapshotting(store, [seen, byType], runId, 10);
    const appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
    for (let index = 0; index < 50; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    expect(counts).toMatchObject({ saved: 2, most: 2 });
    gate.resolve();
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50]);
    expect(await statesAreTrue(store, byType)).toEqual([10, 20, 30, 40, 50]);
  });

  it('are passed over where the log outruns them, but for the oldest that wait and the newest', async () => {
    const gate = Promise.withResolvers<void>();
    const { store } = heldStore(() => gate.promise);
    const snapshots = snapshotting(store, [seen], runId, 10);
    const appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
    for (let index = 0; index < 205; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    gate.resolve();
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 200]);
  });

  it('miss nothing that is recorded while the first states are read', async () => {
    const { store } = heldStore(() => Promise.resolve());
    const gate = Promise.withResolvers<void>();
    const slow: Store = {
      ...store,
      snapshots: {
        ...store.snapshots,
        nearest: async (key, position) => {
          await gate.promise;
          return store.snapshots.nearest(key, position);
        },
      },
    };
    const snapshots = snapshotting(slow, [seen, byType], runId, 10);
    const recorded: RecordedEvent[][] = [];
    const appender = await openRun(store.log, { onRecorded: (page) => recorded.push([...page]) });
    for (let index = 0; index < 200; index++) await appender.append(events(index, 1));
    for (const page of recorded.splice(0, 10)) snapshots.recorded(page);
    gate.resolve();
    // One event a turn of the microtask queue: some fall between the end of reading and the start of folding.
    for (const page of recorded) {
      snapshots.recorded(page);
      await Promise.resolve();
    }
    await turns(5);
    await snapshots.close();
    expect((await statesAreTrue(store, seen)).length).toBeGreaterThan(1);
    expect((await statesAreTrue(store, byType)).length).toBeGreaterThan(1);
  });

  it('cost nothing when they fail, and are tried again', async () => {
    const { store } = heldStore((saved) => (saved === 1 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()));
    const readAt: number[] = [];
    const flaky: Store = {
      ...store,
      snapshots: {
        ...store.snapshots,
        nearest: (key, position) => {
          readAt.push(position);
          return readAt.length === 1 ? Promise.reject(new Error('away')) : store.snapshots.nearest(key, position);
        },
      },
    };
    const snapshots = snapshotting(flaky, [seen], runId, 10);
    const appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
    for (let index = 0; index < 45; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([20, 40]);
    // What was gathered before the failure is not kept for ever: the second time starts further on.
    expect(readAt).toEqual([1, 10]);
  });
});
