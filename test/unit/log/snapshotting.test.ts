import { describe, expect, it } from 'vitest';
import {
  foldAll,
  foldAt,
  memoryStore,
  openAppender,
  runLogId,
  snapshotKey,
  snapshotting,
  verify,
  type Appender,
  type Foldable,
  type Snapshotting,
  type SnapshotStore,
  type Store,
} from '../../../src/log/index.ts';
import { byType, folded, seen } from './counting.ts';
import { keepSnapshots, nearest, positionsOf } from './kept-snapshots.ts';
import { allOf, batchStarted, openRun, runId } from './log-fixture.ts';

const events = (from: number, count: number) => Array.from({ length: count }, (_, index) => batchStarted(from + index));
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function statesAreTrue(store: Store, fold: Foldable<unknown>): Promise<readonly number[]> {
  const positions = await positionsOf(store.snapshots, snapshotKey(fold, runId));
  const all = await allOf(store.log.read(runId));
  for (const position of positions) {
    const snapshot = await nearest(store, snapshotKey(fold, runId), position);
    expect(snapshot).toEqual({ position, state: folded(fold, all.slice(0, position)) });
  }
  return positions;
}

/** A store that saves snapshots when a test lets it. */
function heldStore(save: (saved: number) => Promise<void>) {
  const store = memoryStore();
  const counts = { writing: 0, most: 0, saved: 0 };
  const snapshots: SnapshotStore = {
    ...store.snapshots,
    put: async (rows) => {
      counts.most = Math.max(counts.most, ++counts.writing);
      try {
        await save(counts.saved++);
        await store.snapshots.put(rows);
      } finally {
        counts.writing--;
      }
    },
  };
  return { store: { ...store, snapshots }, counts };
}

/** Takes snapshots every ten events, from the end of the log on. */
async function takeEveryTen(store: Store, folds: readonly Foldable<unknown>[], append: Appender['append']) {
  const position = (await store.log.head(runId))?.position ?? 0;
  const start = { position, states: await foldAll<readonly unknown[]>(store, folds, runId, position) };
  return snapshotting(store, { folds, logId: runLogId(runId), append, start, every: 10 });
}

/** A run whose driver takes snapshots every ten events. */
async function movingRun(store: Store, folds: readonly Foldable<unknown>[]) {
  const appender: Appender = await openRun(store.log, { onRecorded: (recorded) => snapshots.recorded(recorded) });
  const snapshots = await takeEveryTen(store, folds, (given) => appender.append(given));
  return { appender, snapshots };
}

const namesOf = async (store: Store) =>
  (await allOf(store.log.read(runId, { types: ['SnapshotsTaken'] }))).map((event) => ({
    at: event.position,
    of: event.type === 'SnapshotsTaken' ? event.data.position : 0,
  }));

describe('snapshots while a run moves', () => {
  it('are taken of every fold at regular intervals, and are true', async () => {
    const store = memoryStore();
    const { appender, snapshots } = await movingRun(store, [seen, byType]);
    for (let index = 0; index < 45; index++) {
      await appender.append(events(index * 10, 1));
      await turns(2);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50]);
    expect(await statesAreTrue(store, byType)).toEqual([10, 20, 30, 40, 50]);
  });

  it('are taken within an append too, however many events it has', async () => {
    const store = memoryStore();
    const { appender, snapshots } = await movingRun(store, [seen]);
    for (const count of [12, 35, 1, 2]) {
      await appender.append(events(appender.position, count));
      await turns(4);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50]);
  });

  it('are named in the log once each, by the next append, and their names cause no more of them', async () => {
    const store = memoryStore();
    const { appender, snapshots } = await movingRun(store, [seen, byType]);
    for (let index = 0; index < 45; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    await turns(50);
    await snapshots.close();
    const names = await namesOf(store);
    expect(names.map(({ of }) => of)).toEqual([10, 20, 30, 40, 50]);
    expect(names.every(({ at, of }) => at === of + 1)).toBe(true);
    expect(appender.position).toBe(1 + 45 + names.length);
  });

  it('need no append of their own: names go into the next one', async () => {
    const store = memoryStore();
    const { appender, snapshots } = await movingRun(store, [seen]);
    for (let index = 0; index < 60; index++) await appender.append(events(index, 1));
    await snapshots.close();
    const names = await namesOf(store);
    expect(names.length).toBeGreaterThan(3);
    const commits = await allOf(store.log.commits(runId, { from: 1, to: 1_000 }));
    expect(commits).toHaveLength(61);
    for (const { at } of names) {
      const commit = commits.find(({ first, last }) => first <= at && at <= last);
      expect((commit?.last ?? 0) - (commit?.first ?? 0)).toBe(1);
    }
  });

  it('are not named when the run is about to rest, even if they were due before', async () => {
    const gate = Promise.withResolvers<void>();
    const { store } = heldStore(() => gate.promise);
    const { appender, snapshots } = await movingRun(store, [seen]);
    for (let index = 0; index < 90; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    const names = await namesOf(store);
    // One more is due, and waits for room.
    expect(names.map(({ of }) => of)).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
    snapshots.finish();
    gate.resolve();
    await turns(4);
    await appender.append(events(200, 25));
    await snapshots.close();
    expect(await namesOf(store)).toEqual(names);
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  });

  it('continue from the middle of a log without reading its events', async () => {
    const store = memoryStore();
    let current: Snapshotting | null = null;
    const appender = await openRun(store.log, { onRecorded: (recorded) => current?.recorded(recorded) });
    await appender.append(events(0, 22));
    await keepSnapshots(store, appender, [seen], 20);
    const asked: (number | undefined)[] = [];
    const watched: Store = {
      ...store,
      log: {
        ...store.log,
        read: (logId, options) => {
          asked.push(options?.from);
          return store.log.read(logId, options);
        },
      },
    };
    current = await takeEveryTen(watched, [seen], (given) => appender.append(given));
    asked.length = 0;
    for (let index = 0; index < 10; index++) {
      await appender.append(events(100 + index, 1));
      await turns(2);
    }
    await current.close();
    expect(asked).toEqual([]);
    expect(await statesAreTrue(store, seen)).toEqual([20, 30]);
  });

  it('are all named while the store is slow, and stored later', async () => {
    const gate = Promise.withResolvers<void>();
    const { store, counts } = heldStore((saved) => (saved < 2 ? gate.promise : Promise.resolve()));
    const { appender, snapshots } = await movingRun(store, [seen, byType]);
    for (let index = 0; index < 50; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    expect((await namesOf(store)).map(({ of }) => of)).toEqual([10, 20, 30, 40, 50]);
    expect(counts).toMatchObject({ writing: 2 });
    gate.resolve();
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50]);
    expect(await statesAreTrue(store, byType)).toEqual([10, 20, 30, 40, 50]);
  });

  it('are skipped if the log grows too fast, except the oldest waiting ones and the newest', async () => {
    const gate = Promise.withResolvers<void>();
    const { store } = heldStore(() => gate.promise);
    const { appender, snapshots } = await movingRun(store, [seen]);
    for (let index = 0; index < 195; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    gate.resolve();
    await turns(4);
    await appender.append(events(1_000, 1));
    await turns(4);
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 200]);
  });

  it('are stored once for the past if another version wrote the log', async () => {
    const store = memoryStore();
    let current: Snapshotting | null = null;
    const appender = await openRun(store.log, { onRecorded: (recorded) => current?.recorded(recorded) });
    await appender.append(events(0, 94));
    await keepSnapshots(store, appender, [{ ...seen, version: 7 }], 50);
    current = await takeEveryTen(store, [seen], (given) => appender.append(given));
    for (let index = 0; index < 30; index++) {
      await appender.append(events(200 + index, 1));
      await turns(4);
    }
    await current.close();
    const positions = await statesAreTrue(store, seen);
    expect([...new Set(positions)].slice(0, 12)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
    expect(await verify(store, runId)).toMatchObject({ ok: true });
    const names = (await namesOf(store)).length;
    const next = await takeEveryTen(store, [seen], (given) => appender.append(given));
    current = next;
    for (let index = 0; index < 12; index++) await appender.append(events(300 + index, 1));
    await turns(20);
    await next.close();
    expect((await namesOf(store)).length).toBeLessThanOrEqual(names + 2);
  });

  it('are no longer stored for the past when the run is about to rest', async () => {
    const store = memoryStore();
    let current: Snapshotting | null = null;
    const appender = await openRun(store.log, { onRecorded: (recorded) => current?.recorded(recorded) });
    await appender.append(events(0, 499));
    current = await takeEveryTen(store, [byType], (given) => appender.append(given));
    for (let index = 0; index < 10; index++) await appender.append(events(600 + index, 1));
    while ((await namesOf(store)).length < 3) await turns(1);
    current.finish();
    await appender.append(events(700, 1));
    const { position } = appender;
    await turns(20);
    await current.close();
    expect(appender.position).toBe(position);
    expect((await statesAreTrue(store, byType)).length).toBeLessThan(40);
  });

  it('do not stop the run when they fail', async () => {
    const { store } = heldStore((saved) => (saved === 2 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()));
    const { appender, snapshots } = await movingRun(store, [seen]);
    for (let index = 0; index < 42; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    await snapshots.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 40]);
  });

  it('are not stored if their name is refused because another driver has the run', async () => {
    const store = memoryStore();
    const { appender, snapshots } = await movingRun(store, [seen]);
    await appender.append(events(0, 15));
    await turns(4);
    const before = store.snapshots.rows.length;
    const log = store.log.logs.get(runId);
    if (!log) throw new Error('no log');
    await appender.append(events(20, 2));
    log.head = { ...log.head, epoch: 2 };
    await expect(appender.append(events(30, 40))).rejects.toMatchObject({ code: 'fenced' });
    await snapshots.close();
    expect(store.snapshots.rows).toHaveLength(before);
  });

  it('leave a name without a snapshot if the driver is lost in between, and the next driver stores it', async () => {
    const store = memoryStore();
    const dying: Store = { ...store, snapshots: { ...store.snapshots, put: () => new Promise<void>(() => undefined) } };
    const { appender } = await movingRun(dying, [seen]);
    for (let index = 0; index < 25; index++) {
      await appender.append(events(index, 1));
      await turns(2);
    }
    expect((await namesOf(store)).map(({ of }) => of)).toEqual([10, 20]);
    const next = await takeEveryTen(store, [seen], (given) => other.append(given));
    const opened = await store.log.openDriver(runId, { seize: true });
    const head = await store.log.head(runId);
    if (!opened.ok || !head) throw new Error('not taken over');
    const { position, hash: expectedHash, epoch } = head;
    const other = openAppender({
      log: store.log,
      runId,
      session: opened.session,
      epoch,
      position,
      expectedHash,
      writer: 'bob@desk:2',
      onRecorded: (recorded) => next.recorded(recorded),
    });
    for (let index = 100; index < 115; index++) {
      await other.append(events(index, 1));
      await turns(2);
    }
    await next.close();
    expect(await statesAreTrue(store, seen)).toEqual([10, 20, 30, 40]);
    for (const at of [5, 10, 20, 29]) {
      const all = await allOf(store.log.read(runId, { to: at }));
      expect(await foldAt(store, seen, runId, at)).toEqual(folded(seen, all));
    }
  });
});
