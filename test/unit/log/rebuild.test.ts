import { describe, expect, it } from 'vitest';
import { checkSnapshots, memoryStore, rebuild, snapshotKey, verify, type Foldable, type MemoryStore } from '../../../src/log/index.ts';
import { byType, folded, seen } from './counting.ts';
import { keepSnapshots, nearest, positionsOf } from './kept-snapshots.ts';
import { allOf, batchStarted, openRun, runId } from './log-fixture.ts';

const folds: readonly Foldable<unknown>[] = [seen, byType];
const options = { writer: 'bob@desk:2', every: 10 };

/** A run at rest with 33 events, of which three name snapshots. */
async function runWithSnapshots(): Promise<MemoryStore> {
  const store = memoryStore();
  const appender = await openRun(store.log);
  await appender.append(Array.from({ length: 29 }, (_, batch) => batchStarted(batch)));
  for (const position of [10, 20, 30]) await keepSnapshots(store, appender, folds, position);
  await appender.close();
  return store;
}

const rowOf = (store: MemoryStore, fold: Foldable<unknown>, position: number) => {
  const at = store.snapshots.rows.findIndex((row) => row.projection === fold.name && row.position === position);
  const row = store.snapshots.rows[at];
  if (!row) throw new Error('no such snapshot');
  return { at, row };
};

describe('rebuilding', () => {
  it('appends and stores nothing if every snapshot exists and is true', async () => {
    const store = await runWithSnapshots();
    const before = await store.log.head(runId);
    expect(await rebuild(store, folds, runId, options)).toEqual({ snapshots: 6, foreign: 0, firstDifference: null, stored: 0 });
    expect(await store.log.head(runId)).toEqual(before);
    expect(store.snapshots.rows).toHaveLength(6);
    expect(await store.log.holder(runId)).toBeNull();
  });

  it('stores all missing snapshots, and names them in the log under a new epoch', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    await appender.append(Array.from({ length: 249 }, (_, batch) => batchStarted(batch)));
    await appender.close();
    expect(await rebuild(store, folds, runId, options)).toEqual({ snapshots: 0, foreign: 0, firstDifference: null, stored: 25 });
    expect(await store.log.head(runId)).toMatchObject({ position: 275, epoch: 2 });
    expect(await store.log.lastWriter(runId)).toBe('bob@desk:2');
    expect(await positionsOf(store.snapshots, snapshotKey(seen, runId))).toEqual(
      Array.from({ length: 25 }, (_, index) => (index + 1) * 10),
    );
    expect(await checkSnapshots(store, folds, runId)).toMatchObject({ snapshots: 50, firstDifference: null });
    expect(await verify(store, runId)).toMatchObject({ ok: true, events: 275 });
    expect(await nearest(store, snapshotKey(seen, runId), 99)).toMatchObject({ position: 90 });
  });

  it('stores snapshots of another version again, and keeps the old ones', async () => {
    const store = await runWithSnapshots();
    const next = folds.map((fold) => ({ ...fold, version: 2 }));
    expect(await rebuild(store, next, runId, options)).toEqual({ snapshots: 0, foreign: 6, firstDifference: null, stored: 3 });
    expect(await rebuild(store, next, runId, options)).toEqual({ snapshots: 6, foreign: 6, firstDifference: null, stored: 0 });
    expect(await rebuild(store, folds, runId, options)).toMatchObject({ snapshots: 6, foreign: 6, stored: 0 });
  });

  it('refuses a run that is driven, and does not disturb its driver', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    await expect(rebuild(store, folds, runId, options)).rejects.toMatchObject({ code: 'run-is-driven' });
    await appender.append([batchStarted(0)]);
    expect(appender.position).toBe(2);
  });

  it('fences a driver that lost its lock without knowing', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    await appender.append(Array.from({ length: 19 }, (_, batch) => batchStarted(batch)));
    const seized = await store.log.openDriver(runId, { seize: true });
    if (!seized.ok) throw new Error('not seized');
    await seized.session.close();
    expect(await rebuild(store, folds, runId, options)).toMatchObject({ stored: 2 });
    await expect(appender.append([batchStarted(20)])).rejects.toMatchObject({ code: 'fenced' });
  });

  it('continues after a crash', async () => {
    const store = await runWithSnapshots();
    const dying = { ...store, snapshots: { ...store.snapshots, put: () => Promise.reject(new Error('away')) } };
    store.snapshots.rows.length = 0;
    await expect(rebuild(dying, folds, runId, options)).rejects.toThrow('away');
    expect(await store.log.holder(runId)).toBeNull();
    expect(await rebuild(store, folds, runId, options)).toMatchObject({ firstDifference: null, stored: 3 });
    expect(await checkSnapshots(store, folds, runId)).toMatchObject({ snapshots: 6, firstDifference: null });
  });

  it('reports the first false snapshot, and stores the true one, which is read', async () => {
    const store = await runWithSnapshots();
    const { at, row } = rowOf(store, byType, 20);
    store.snapshots.rows[at] = { ...row, state: '{"RunStarted":2}' };
    const firstDifference = { projection: 'by-type', position: 20, reason: 'it is not the state that the events give' };
    expect(await rebuild(store, folds, runId, options)).toEqual({ snapshots: 6, foreign: 0, firstDifference, stored: 1 });
    expect(await rebuild(store, folds, runId, options)).toMatchObject({ firstDifference, stored: 0 });
    const all = await allOf(store.log.read(runId, { to: 20 }));
    expect(await nearest(store, snapshotKey(byType, runId), 29)).toEqual({ position: 20, state: folded(byType, all) });
  });
});

describe('checking snapshots', () => {
  const falsified: readonly (readonly [string, (store: MemoryStore) => void, object])[] = [
    [
      'one whose state was changed',
      (store) => {
        const { at, row } = rowOf(store, seen, 20);
        store.snapshots.rows[at] = { ...row, state: row.state.replace('[1,', '[7,') };
      },
      { projection: 'seen', position: 20, reason: 'it is not the state that the events give' },
    ],
    [
      'one that was inserted at a free position',
      (store) => void store.snapshots.rows.push({ ...rowOf(store, seen, 20).row, position: 15 }),
      { projection: 'seen', position: 15, reason: 'it is not the state that the events give' },
    ],
    [
      'a true one that the log does not name',
      (store) => {
        const { at, row } = rowOf(store, byType, 30);
        store.snapshots.rows[at] = { ...row, namedAt: 2 };
      },
      { projection: 'by-type', position: 30, reason: 'the log holds no SnapshotsTaken event at position 2, which should name its hash' },
    ],
    [
      'a true one that is named for another position',
      (store) => {
        const { at, row } = rowOf(store, byType, 30);
        store.snapshots.rows[at] = { ...row, namedAt: 31 };
      },
      { projection: 'by-type', position: 30, reason: 'position 31 of the log does not name it' },
    ],
    [
      'one beyond the end of the log',
      (store) => void store.snapshots.rows.push({ ...rowOf(store, seen, 20).row, position: 34 }),
      { projection: 'seen', position: 34, reason: 'it lies beyond the end of the log' },
    ],
    [
      'one of another version that does not have its hash',
      (store) => void store.snapshots.rows.push({ ...rowOf(store, seen, 20).row, version: 2, state: '{}' }),
      { projection: 'seen', position: 20 },
    ],
  ];

  it.each(falsified)('finds %s, and no reader uses it', async (_what, falsify, expected) => {
    const store = await runWithSnapshots();
    falsify(store);
    expect((await checkSnapshots(store, folds, runId)).firstDifference).toMatchObject(expected);
    const all = await allOf(store.log.read(runId));
    for (const fold of folds) {
      for (let at = 0; at <= 40; at++) {
        const found = await nearest(store, snapshotKey(fold, runId), at);
        if (found) expect(found.state).toEqual(folded(fold, all.slice(0, found.position)));
      }
    }
  });

  it('finds a state that a driver named but the events do not give', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    await appender.append([batchStarted(0), batchStarted(1)]);
    await keepSnapshots(store, appender, [{ ...seen, initialState: () => ({ positions: [], digest: 9 }) }], 2);
    expect((await checkSnapshots(store, [seen], runId)).firstDifference).toMatchObject({ projection: 'seen', position: 2 });
  });

  it('compares a snapshot at an event that this program cannot read', async () => {
    const store = await runWithSnapshots();
    const log = store.log.logs.get(runId);
    const tenth = log?.events[9];
    if (!log || !tenth) throw new Error('no tenth event');
    log.events[9] = { ...tenth, type: 'BatchDreamt' };
    // The states that were folded from it are no longer true.
    expect(await checkSnapshots(store, [byType], runId)).toMatchObject({ firstDifference: { position: 10 } });
    await rebuild(store, [byType], runId, options);
    store.snapshots.rows.splice(0, 6);
    expect(await checkSnapshots(store, [byType], runId)).toMatchObject({ snapshots: 3, firstDifference: null });
  });

  it('accepts snapshots that a driver stores meanwhile', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    await appender.append(Array.from({ length: 19 }, (_, batch) => batchStarted(batch)));
    await keepSnapshots(store, appender, [seen], 10);
    const moving: MemoryStore = {
      ...store,
      log: {
        ...store.log,
        read: async function* (logId, given) {
          yield* store.log.read(logId, given);
          await appender.append(Array.from({ length: 10 }, (_, batch) => batchStarted(100 + batch)));
          await keepSnapshots(store, appender, [seen], 30);
        },
      },
    };
    expect(await checkSnapshots(moving, [seen], runId)).toMatchObject({ snapshots: 1, firstDifference: null });
  });
});
