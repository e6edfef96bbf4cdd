import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, type Store } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { currentState, followToRest, readStates, stepChanges, stepRows } from '../../../src/views/index.ts';

const planned = plan(
  pipeline('views', ({ source }) => {
    const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 40 }, (_, n) => ({ n })), batchSize: 10 });
    rows.map('twice', { output: z.object({ twice: z.int() }), run: ({ n }: { readonly n: number }) => ({ twice: n * 2 }) });
  }),
);

/** A finished run in a store that counts queries for snapshots and reads of the tail. */
async function finishedRun() {
  const store = memoryStore();
  const run = await startPipeline(store, planned, { runId: 'views-1' });
  const { position } = await run.drive();
  const counts = { snapshotQueries: 0, tailReads: 0 };
  const positions: number[] = [];
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
        // The first event alone names the definition.
        const isTail = options?.to !== 1 && options?.types === undefined;
        if (isTail) counts.tailReads++;
        for await (const page of store.log.read(logId, options)) {
          if (isTail) positions.push(...page.map((event) => event.position));
          yield page;
        }
      },
    },
  };
  return { store: watched, position, counts, positions };
}

describe('a look at a run', () => {
  it('reads all states of a run with one query for snapshots and one pass over the tail', async () => {
    const { store, position, counts, positions } = await finishedRun();
    await readStates(store, 'views-1', position);
    expect(counts).toEqual({ snapshotQueries: 1, tailReads: 1 });
    expect(positions).toHaveLength(position);
  });

  it('reads the tail once for a run’s status with its driver', async () => {
    const { store, counts } = await finishedRun();
    expect(await currentState(store, 'views-1')).toMatchObject({ status: 'succeeded', states: { graph: { pipeline: 'views' } } });
    expect(counts).toEqual({ snapshotQueries: 1, tailReads: 1 });
  });

  it('reads the tail once for rows that are then followed', async () => {
    const { store, position, counts } = await finishedRun();
    const rows = await stepRows(store, 'views-1', { step: 'twice', position });
    expect(rows.total).toBe(40);
    const found = await Array.fromAsync(rows.readChosen({ which: 'last', count: 2 }));
    expect(found.map(({ values }) => values)).toEqual([
      { n: 38, twice: 76 },
      { n: 39, twice: 78 },
    ]);
    const ending = await followToRest(store, 'views-1', { from: position, states: rows.states, onEvents: () => undefined });
    expect(ending).toEqual({ kind: 'rest', status: 'succeeded' });
    expect(counts).toEqual({ snapshotQueries: 1, tailReads: 1 });
  });

  it('reads no event twice for the changes between two positions', async () => {
    const { store, position, counts, positions } = await finishedRun();
    const changes = await stepChanges(store, 'views-1', { from: 2, to: position });
    expect(changes.map(({ name, rows }) => ({ name, ...rows }))).toEqual([
      { name: 'rows', in: 40, out: 40, rejected: 0 },
      { name: 'twice', in: 40, out: 40, rejected: 0 },
    ]);
    expect(changes[1]).toMatchObject({ before: { state: 'waiting' }, after: { state: 'finished' } });
    expect(counts.snapshotQueries).toBe(1);
    expect(positions).toHaveLength(new Set(positions).size);
    expect(positions).toHaveLength(position);
  });
});
