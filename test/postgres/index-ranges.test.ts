import { beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../../src/log/index.ts';
import { openPostgresStore } from '../../src/postgres/index.ts';
import { runId, writeLongLog } from './long-log.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const batches = 30_000;

beforeAll(() => writeLongLog(database, batches));

/** Rows of tables, and entries of indexes, that the server went through for some calls. */
async function touched(ask: (log: EventLog) => Promise<unknown>): Promise<number> {
  const counters = async () => {
    const { rows } = await database.sql(`select
      (select sum(seq_tup_read) from pg_stat_user_tables where schemaname = 'distilog') +
      (select sum(idx_tup_read) from pg_stat_user_indexes where schemaname = 'distilog') as touched`);
    return Number((rows as { touched: string }[])[0]?.touched);
  };
  // Counts arrive when a session ends, which is soon after the client has left.
  const settled = async () => {
    for (let previous = -1; ; ) {
      const now = await counters();
      if (now === previous) return now;
      previous = now;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  };
  const before = await settled();
  const store = await openPostgresStore(database.app);
  await ask(store.log);
  await store.close();
  await expect.poll(counters, { timeout: 10_000 }).toBeGreaterThan(before);
  return (await settled()) - before;
}

const first = async <T>(pages: AsyncIterable<T>): Promise<T | undefined> => {
  for await (const page of pages) return page;
  return undefined;
};

describe('on a long log, what a query goes through does not grow with the log:', () => {
  const place = { pass: 1, step: 'step2', batch: 7_000 };

  it.each<readonly [string, (log: EventLog) => Promise<unknown>, number]>([
    ['the success of one batch', async (log) => expect(await log.success(runId, { ...place, to: batches * 2 })).not.toBeNull(), 50],
    ['what one batch came to', async (log) => expect(await log.readBatch(runId, place)).toHaveLength(1), 50],
    [
      'a page of successes far into a step',
      async (log) => expect(await first(log.readSuccesses(runId, { step: 'step1', fromBatch: 6_000, to: batches * 2 }))).toHaveLength(250),
      300,
    ],
    ['a page of events', async (log) => expect(await first(log.read(runId, { from: 30_000 }))).toHaveLength(250), 300],
    ['what stands at a position', async (log) => expect((await log.asOf(runId, 31_234))?.position).toBe(31_234), 50],
    ['the position at a time', async (log) => expect(await log.positionAt(runId, Date.UTC(2026, 0, 1, 5) * 1_000)).toBe(18_000), 50],
    ['the head', async (log) => expect((await log.head(runId))?.position).toBe(batches * 2), 50],
    ['runs by the start of their names', async (log) => expect(await log.runIds('lon', 5)).toEqual([runId]), 50],
    [
      'events of a rare type',
      async (log) => expect(await first(log.read(runId, { types: ['RunStarted', 'RunResumed'] }))).toBeUndefined(),
      50,
    ],
    ['an event of an unknown type', async (log) => expect(await log.unknownEvent(runId, batches * 2)).toBeNull(), 50],
    ['where time is unreliable', async (log) => expect(await log.unreliableFrom(runId)).toBeNull(), 50],
    ['who wrote last', async (log) => expect(await log.lastWriter(runId)).toBe('w'), 50],
  ])('%s', async (_what, ask, most) => {
    expect(await touched(ask)).toBeLessThanOrEqual(most);
  });
});
