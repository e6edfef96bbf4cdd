import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDistiset, losses } from '../../../src/distiset/index.ts';
import { retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, resolveAsOf, runLogId, type Store } from '../../../src/log/index.ts';
import { NonRetryableError, pipeline, plan, type Plan } from '../../../src/pipeline/index.ts';
import type { RecordedEvent } from '../../../schema/index.ts';
import { eventsOf } from './engine.ts';

interface Given {
  readonly rows: number;
  readonly batchSize?: number;
  readonly isMended: boolean;
}

/** Two steps. Each rejects every second row until it is repaired. */
const halving = ({ rows, batchSize = 1_000, isMended }: Given): Plan =>
  plan(
    pipeline('halving', ({ source }) => {
      const rejectOdd = (n: number) => {
        if (n % 2 === 1 && !isMended) throw new NonRetryableError(`${n} is odd`, { code: 'odd' });
      };
      const all = source('all', {
        output: z.object({ n: z.int() }),
        batchSize,
        read: function* ({ offset }) {
          for (let n = offset; n < rows; n++) yield { n };
        },
      });
      const first = all.map('first', { output: z.object({ half: z.number() }), run: ({ n }) => (rejectOdd(n), { half: n / 2 }) });
      first.map('second', { output: z.object({ quarter: z.number() }), run: ({ n, half }) => (rejectOdd(half), { quarter: n / 4 }) });
    }),
  );

/** Runs it in memory, and returns its store with what is asked of it. */
async function halved(given: Omit<Given, 'isMended'>) {
  const store = memoryStore();
  const run = await startPipeline(store, halving({ ...given, isMended: false }), { seed: 1, isRejectLimitLifted: true });
  expect(await run.drive()).toMatchObject({ rest: 'partial' });
  return { store, runId: run.runId };
}

async function retried(store: Store, runId: string, given: Omit<Given, 'isMended'>): Promise<void> {
  const again = await retryPipeline(store, halving({ ...given, isMended: true }), { runId, acceptedChanges: [], concurrency: {} });
  expect(await again.drive()).toMatchObject({ rest: 'succeeded' });
}

async function exportedRows(store: Store, runId: string): Promise<readonly number[]> {
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'head' });
  const { configs } = await createDistiset(store, runId, { asOf });
  const rows: number[] = [];
  for (const config of configs) for await (const row of config.rows()) rows.push(row['n'] as number);
  return rows;
}

const isReopening = (event: RecordedEvent) => event.type === 'RunReopened';

describe('a pass over many rejected rows', () => {
  it('names its rows in several chunks, of one step and at most 10,000 rows each, and tries each row once', async () => {
    const given = { rows: 25_000 };
    const { store, runId } = await halved(given);
    await retried(store, runId, given);
    const reopened = (await eventsOf(store, runId)).find(isReopening);
    if (reopened?.type !== 'RunReopened') throw new Error('a retry opens a pass');
    expect(reopened.data.pages).toEqual([
      { step: 'first', batch: 0 },
      { step: 'first', batch: 20 },
      { step: 'second', batch: 0 },
    ]);
    expect(reopened.chunks).toHaveLength(3);
    const rows = await exportedRows(store, runId);
    expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: given.rows }, (_, n) => n));
  });

  it('has a chunk for a batch of more rows than that', async () => {
    const given = { rows: 23_000, batchSize: 22_000 };
    const { store, runId } = await halved(given);
    await retried(store, runId, given);
    const reopened = (await eventsOf(store, runId)).find(isReopening);
    expect(reopened?.type === 'RunReopened' && reopened.data.pages.filter(({ step }) => step === 'first')).toHaveLength(2);
    expect(await exportedRows(store, runId)).toHaveLength(given.rows);
  });

  it('records only a number per row', async () => {
    const given = { rows: 10_000 };
    const { store, runId } = await halved(given);
    await retried(store, runId, given);
    const started = (await eventsOf(store, runId)).filter((event) => event.type === 'BatchStarted' && event.pass === 2);
    const length = started.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
    expect(length).toBeLessThan(10 * 7_500);
  });
});

interface Counts {
  queries: number;
  chunkReads: number;
}

interface Cost extends Readonly<Counts> {
  readonly appends: number;
}

type Work = 'a list of losses' | 'losses with their inputs' | 'a retry' | 'an export after it';

/** A store that counts what is asked of another. A page of events is a query. */
function counted(store: Store): { readonly store: Store; readonly counts: Counts } {
  const counts: Counts = { queries: 0, chunkReads: 0 };
  const pages = async function* <T>(all: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const page of all) {
      counts.queries++;
      yield page;
    }
  };
  const { log, chunks } = store;
  const counting: Store = {
    ...store,
    log: {
      ...log,
      read: (...args) => pages(log.read(...args)),
      readSuccesses: (...args) => pages(log.readSuccesses(...args)),
      readBatch: (...args) => (counts.queries++, log.readBatch(...args)),
      success: (...args) => (counts.queries++, log.success(...args)),
    },
    chunks: { ...chunks, get: (address) => (counts.chunkReads++, chunks.get(address)) },
  };
  return { store: counting, counts };
}

const appendsOf = async (store: Store, runId: string): Promise<number> =>
  (await Array.fromAsync(store.log.commits(runLogId(runId), { from: 1, to: Number.MAX_SAFE_INTEGER }))).flat().length;

/** What each costs in a run of so many rows in batches of 100. */
async function costs(rows: number): Promise<Readonly<Record<Work, Cost>>> {
  const given = { rows, batchSize: 100 };
  const { store, runId } = await halved(given);
  const head = (await store.log.head(runLogId(runId)))?.position ?? 0;
  const costOf = async (work: (from: Store) => Promise<unknown>): Promise<Cost> => {
    const before = await appendsOf(store, runId);
    const { store: counting, counts } = counted(store);
    await work(counting);
    return { ...counts, appends: (await appendsOf(store, runId)) - before };
  };
  return {
    'a list of losses': await costOf(async (from) => {
      let lost = 0;
      for await (const loss of losses(from, runId, head)) if (loss.kind === 'row') lost++;
      expect(lost).toBe((3 * rows) / 4);
    }),
    'losses with their inputs': await costOf(async (from) => {
      for await (const loss of losses(from, runId, head)) if (loss.kind === 'row') await loss.input();
    }),
    'a retry': await costOf((from) => retried(from, runId, given)),
    'an export after it': await costOf((from) => exportedRows(from, runId)),
  };
}

/** At most so many for 1,000 rows, which are 10 batches of each step: batches are read together, and each chunk hardly twice. */
const bounds: readonly (readonly [Work, Cost])[] = [
  ['a list of losses', { queries: 0.6, chunkReads: 0.4, appends: 0 }],
  ['losses with their inputs', { queries: 2, chunkReads: 22, appends: 0 }],
  ['a retry', { queries: 6, chunkReads: 25, appends: 20 }],
  ['an export after it', { queries: 2, chunkReads: 75, appends: 0 }],
];

describe('the requests to a store', () => {
  const sizes = [5_000, 20_000];
  const measured = Promise.all(sizes.map(costs));

  it.each(bounds)('for %s does not grow by rows, and little by batches', async (what, most) => {
    for (const [index, found] of (await measured).entries()) {
      const thousands = (sizes[index] ?? 0) / 1_000;
      expect(found[what].queries / thousands).toBeLessThanOrEqual(most.queries);
      expect(found[what].chunkReads / thousands).toBeLessThanOrEqual(most.chunkReads);
      expect(found[what].appends / thousands).toBeLessThanOrEqual(most.appends);
    }
  });

  it('for inputs of a batch that no cache holds is each chunk once, not once a row', async () => {
    const store = memoryStore();
    const run = await startPipeline(store, wide, { seed: 1, isRejectLimitLifted: true });
    expect(await run.drive()).toMatchObject({ rest: 'partial' });
    const { store: counting, counts } = counted(store);
    let lost = 0;
    for await (const loss of losses(counting, run.runId, Number.MAX_SAFE_INTEGER)) {
      if (loss.kind === 'row') expect(await loss.input()).toMatchObject({ n: loss.row });
      lost++;
    }
    expect(lost).toBe(wideRows / 2);
    expect(counts.chunkReads).toBeLessThan(5);
  });
});

const wideRows = 40;

/** One batch of 12 MB, of which every second row is rejected. */
const wide = plan(
  pipeline('wide', ({ source }) => {
    const rows = source('all', {
      output: z.object({ n: z.int(), text: z.string() }),
      read: function* ({ offset }) {
        for (let n = offset; n < wideRows; n++) yield { n, text: `${n} `.repeat(100_000) };
      },
    });
    rows.map('even', {
      output: z.object({ half: z.number() }),
      run: ({ n }) => {
        if (n % 2 === 1) throw new NonRetryableError(`${n} is odd`, { code: 'odd' });
        return { half: n / 2 };
      },
    });
  }),
);
