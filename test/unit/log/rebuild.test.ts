import { describe, expect, it } from 'vitest';
import { foldAt, memoryStore, rebuild, snapshotKey, type Foldable, type MemoryStore } from '#log';
import { byType, folded, seen } from './counting.ts';
import { allOf, batchStarted, openRun, runId } from './log-fixture.ts';

async function runWithSnapshots(): Promise<MemoryStore> {
  const store = memoryStore();
  const appender = await openRun(store.log);
  await appender.append(Array.from({ length: 29 }, (_, batch) => batchStarted(batch)));
  for (const position of [10, 20, 30]) {
    for (const fold of [seen, byType] as readonly Foldable<unknown>[]) {
      await store.snapshots.save(snapshotKey(fold, runId), { position, state: await foldAt(store, fold, runId, position) });
    }
  }
  return store;
}

describe('rebuilding', () => {
  it('finds snapshots that are what the events give, drops them, and keeps those of the head', async () => {
    const store = await runWithSnapshots();
    expect(await rebuild(store, [seen, byType], runId, { check: false })).toEqual({ snapshots: 6, firstDifference: null });
    expect(await store.snapshots.positions(snapshotKey(seen, runId))).toEqual([30]);
    const state = folded(byType, await allOf(store.log.read(runId)));
    expect(await store.snapshots.nearest(snapshotKey(byType, runId), 30)).toEqual({ position: 30, state });
  });

  it('changes nothing when it is only asked to check', async () => {
    const store = await runWithSnapshots();
    expect(await rebuild(store, [seen, byType], runId, { check: true })).toEqual({ snapshots: 6, firstDifference: null });
    expect(await store.snapshots.positions(snapshotKey(seen, runId))).toEqual([10, 20, 30]);
  });

  it('names the first snapshot that is not what the events give, and mends it', async () => {
    const store = await runWithSnapshots();
    await store.snapshots.save(snapshotKey(seen, runId), { position: 30, state: { positions: [], digest: 0 } });
    await store.snapshots.save(snapshotKey(byType, runId), { position: 20, state: { RunStarted: 2 } });
    const firstDifference = { projection: 'by-type', position: 20 };
    expect(await rebuild(store, [seen, byType], runId, { check: false })).toEqual({ snapshots: 6, firstDifference });
    expect(await rebuild(store, [seen, byType], runId, { check: true })).toEqual({ snapshots: 2, firstDifference: null });
  });

  it('does not believe in a snapshot beyond the head', async () => {
    const store = await runWithSnapshots();
    await store.snapshots.save(snapshotKey(seen, runId), { position: 31, state: { positions: [], digest: 0 } });
    expect(await rebuild(store, [seen], runId, { check: true })).toMatchObject({ firstDifference: { projection: 'seen', position: 31 } });
  });

  it('compares a snapshot at an event that this program cannot read', async () => {
    const store = await runWithSnapshots();
    const log = store.log.logs.get(runId);
    const tenth = log?.events[9];
    if (!log || !tenth) throw new Error('no tenth event');
    log.events[9] = { ...tenth, type: 'BatchDreamt' };
    // The states that were folded from it no longer stand.
    expect(await rebuild(store, [byType], runId, { check: true })).toMatchObject({ firstDifference: { position: 10 } });
    await rebuild(store, [byType], runId, { check: false });
    await store.snapshots.save(snapshotKey(byType, runId), { position: 10, state: { RunStarted: 1, BatchStarted: 8 } });
    expect(await rebuild(store, [byType], runId, { check: true })).toEqual({ snapshots: 2, firstDifference: null });
  });
});
