import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldAll, foldAllAtEach, foldAt, memoryStore, runLogId, snapshotKey, type Store } from '../../../src/log/index.ts';
import { byType, folded, seen } from './counting.ts';
import { keepSnapshots } from './kept-snapshots.ts';
import { allOf, batchStarted, batchSucceeded, openRun, runId } from './log-fixture.ts';

/** A run of a number of events, in appends of these sizes. */
async function runOf(store: Store, sizes: readonly number[]) {
  const appender = await openRun(store.log);
  let batch = 0;
  for (const size of sizes) {
    await appender.append(Array.from({ length: size }, () => (batch++ % 2 === 0 ? batchStarted(batch) : batchSucceeded(batch))));
  }
  return { appender, events: await allOf(store.log.read(runId)) };
}

/** A store whose log is read in pages of another size. */
const inPagesOf = (store: Store, size: number): Store => ({
  ...store,
  log: {
    ...store.log,
    read: async function* (logId, options) {
      const events = await allOf(store.log.read(logId, options));
      for (let index = 0; index < events.length; index += size) yield events.slice(index, index + size);
    },
  },
});

/** A store that counts queries for snapshots, reads of the log, and the positions that they returned. */
function watch(store: Store) {
  const counts = { snapshotQueries: 0, reads: 0, positions: [] as number[] };
  const watched: Store = {
    ...store,
    snapshots: {
      ...store.snapshots,
      nearest: (wanted) => {
        counts.snapshotQueries++;
        return store.snapshots.nearest(wanted);
      },
    },
    log: {
      ...store.log,
      read: async function* (logId, options) {
        counts.reads++;
        for await (const page of store.log.read(logId, options)) {
          counts.positions.push(...page.map(({ position }) => position));
          yield page;
        }
      },
    },
  };
  return { watched, counts };
}

describe('a fold as of a position', () => {
  it('is the same with snapshots and without, at every cut, in pages of any size', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
    const positions = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, positions, fc.integer({ min: 1, max: 7 }), async (appends, cuts, pageSize) => {
        const store = memoryStore();
        const { appender } = await runOf(store, appends);
        for (const cut of cuts.filter((at) => at <= appender.position)) await keepSnapshots(store, appender, [seen], cut);
        const events = await allOf(store.log.read(runId));
        for (let at = 0; at <= events.length; at++) {
          const whole = folded(seen, events.slice(0, at));
          expect(await foldAt(store, seen, runId, at)).toEqual(whole);
          expect(await foldAt(inPagesOf(store, pageSize), seen, runId, at)).toEqual(whole);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('starts from the nearest snapshot, and reads no event below it', async () => {
    const store = memoryStore();
    const { appender } = await runOf(store, [10]);
    await keepSnapshots(store, appender, [{ ...byType, initialState: () => ({ snapshot: 1 }) }], 5);
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
    expect(await foldAt(watched, byType, runId, 6)).toMatchObject({ snapshot: 1, BatchStarted: 3 });
    expect(asked).toEqual([6]);
  });

  it('uses no snapshot of another version, of another fold, or of other event shapes', async () => {
    const store = memoryStore();
    const { appender, events } = await runOf(store, [4]);
    const key = snapshotKey(seen, runId);
    const wrong = { ...seen, initialState: () => ({ positions: [], digest: -1 }) };
    await keepSnapshots(store, appender, [{ ...wrong, version: 2 }], 3);
    await keepSnapshots(store, appender, [{ ...wrong, name: 'other' }], 3);
    await keepSnapshots(store, appender, [wrong], 3);
    const row = store.snapshots.rows.pop();
    if (!row) throw new Error('nothing was stored');
    store.snapshots.rows.push({ ...row, fingerprint: '0' }, { ...row, logId: 'other' });
    expect(await foldAt(store, seen, runId, 5)).toEqual(folded(seen, events));
    expect(snapshotKey({ ...seen, version: 7 }, runId)).toEqual({ ...key, version: 7 });
    expect(key.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is the same for folds that are read together, each from its own snapshot', async () => {
    const store = memoryStore();
    const { appender } = await runOf(store, [20]);
    await keepSnapshots(store, appender, [seen], 5);
    await keepSnapshots(store, appender, [byType], 12);
    const events = await allOf(store.log.read(runId));
    for (const at of [0, 1, 5, 6, 12, 13, events.length]) {
      const states = await foldAll<[unknown, unknown]>(store, [seen, byType], runLogId(runId), at);
      expect(states).toEqual([folded(seen, events.slice(0, at)), folded(byType, events.slice(0, at))]);
    }
  });

  it('is the same at several positions that are read together, with one query for snapshots and no event twice', async () => {
    const store = memoryStore();
    const { appender } = await runOf(store, [30]);
    await keepSnapshots(store, appender, [seen], 5);
    await keepSnapshots(store, appender, [seen, byType], 12);
    await keepSnapshots(store, appender, [byType], 25);
    const events = await allOf(store.log.read(runId));
    const positions = fc.array(fc.integer({ min: 0, max: events.length }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(positions, async (asked) => {
        const { watched, counts } = watch(store);
        const states = await foldAllAtEach<[unknown, unknown]>(watched, [seen, byType], runLogId(runId), asked);
        expect(states).toEqual(asked.map((at) => [folded(seen, events.slice(0, at)), folded(byType, events.slice(0, at))]));
        expect(counts.snapshotQueries).toBe(1);
        expect(counts.positions).toEqual([...new Set(counts.positions)]);
      }),
      { numRuns: 60 },
    );
  });

  it('of several folds needs one query for snapshots and one pass over the tail', async () => {
    const store = memoryStore();
    const { appender, events } = await runOf(store, [20]);
    await keepSnapshots(store, appender, [seen], 5);
    await keepSnapshots(store, appender, [byType], 12);
    const { watched, counts } = watch(store);
    await foldAll(watched, [seen, byType], runLogId(runId), events.length);
    expect(counts).toEqual({ snapshotQueries: 1, reads: 1, positions: events.slice(5).map(({ position }) => position) });
  });
});
