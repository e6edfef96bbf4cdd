import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openPostgresStore, type PostgresStore } from '../../src/postgres/index.ts';
import { runId, writeLongLog } from './long-log.ts';
import { testDatabase, type TestDatabase } from './server.ts';

const small = { database: await testDatabase(), batches: 5_000 };
const large = { database: await testDatabase(), batches: 100_000 };

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/**
 * Returns what a plan reads, from the top: the name of each index, or a whole table. It ignores whether an index is read in order or by pages, which
 * depends on the number of rows. The indexes of successes and of ends count as one, because they find the success of one batch equally well.
 */
const readBy = (node: PlanNode): readonly string[] => [
  ...(node['Index Name'] === undefined ? [] : [node['Index Name'].replace(/^events_one_(success|end)$/, 'events_one_success or _end')]),
  ...(node['Node Type'] === 'Seq Scan' ? [`all of ${node['Relation Name']}`] : []),
  ...(node.Plans ?? []).flatMap(readBy),
];

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Returns the statements about the log that `ask` sends. */
async function statementsOf(database: TestDatabase, ask: (store: PostgresStore) => Promise<unknown>): Promise<readonly Asked[]> {
  const store = await openPostgresStore(database.app);
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await ask(store);
    const calls = query.mock.calls as unknown as readonly (readonly [unknown, (readonly unknown[])?])[];
    return calls.flatMap(([text, values = []]) => (typeof text === 'string' && text.includes('"distilog"') ? [{ text, values }] : []));
  } finally {
    query.mockRestore();
    await store.close();
  }
}

async function plansOf(database: TestDatabase, ask: (store: PostgresStore) => Promise<unknown>): Promise<readonly (readonly string[])[]> {
  const plans: (readonly string[])[] = [];
  for (const { text, values } of await statementsOf(database, ask)) {
    const { rows } = await database.sql(`explain (format json) ${text}`, values);
    const [explained] = (rows as readonly { 'QUERY PLAN': readonly { Plan: PlanNode }[] }[])[0]?.['QUERY PLAN'] ?? [];
    if (explained) plans.push(readBy(explained.Plan));
  }
  return plans;
}

const readOn = async (pages: AsyncIterable<unknown>) => {
  for await (const _page of pages) return;
};

describe('the plan of a query of a log uses an index, and is the same at 200,000 events as at 10,000:', () => {
  beforeAll(async () => {
    for (const { database, batches } of [small, large]) await writeLongLog(database, batches);
  }, 120_000);
  afterAll(() => vi.restoreAllMocks());

  const place = { pass: 1, step: 'step2', batch: 400 };

  it.each<readonly [string, (store: PostgresStore, to: number) => Promise<unknown>]>([
    ['the head', ({ log }) => log.head(runId)],
    ['a page of events', ({ log }) => readOn(log.read(runId, { from: 1_500 }))],
    ['events of a rare type', ({ log }) => readOn(log.read(runId, { types: ['RunStarted', 'RunReopened'] }))],
    ['an event of an unknown kind', ({ log }, to) => log.unknownEvent(runId, to)],
    ['the success of a batch', ({ log }, to) => log.success(runId, { ...place, to })],
    ['what a batch came to', ({ log }) => log.readBatch(runId, place)],
    ['a page of successes', ({ log }, to) => readOn(log.readSuccesses(runId, { step: 'step1', fromBatch: 300, to }))],
    ['what stands at a position', ({ log }) => log.asOf(runId, 1_234)],
    ['where time is unreliable', ({ log }) => log.unreliableFrom(runId)],
    ['who wrote last', ({ log }) => log.lastWriter(runId)],
    ['events as stored', ({ log }) => readOn(log.storedEvents(runId, { from: 1_500, to: 2_000 }))],
    ['appends', ({ log }) => readOn(log.commits(runId, { from: 1_500, to: 2_000 }))],
    [
      'the nearest snapshot',
      ({ snapshots }) => snapshots.nearest([{ logId: runId, projection: 'graph', version: 1, fingerprint: 'f', position: 1_500 }]),
    ],
  ])('%s', async (_what, ask) => {
    const plans = await plansOf(large.database, (store) => ask(store, large.batches * 2));
    expect(plans).not.toEqual([]);
    expect(plans.flat().filter((read) => read.startsWith('all of'))).toEqual([]);
    expect(await plansOf(small.database, (store) => ask(store, small.batches * 2))).toEqual(plans);
  });

  it.each([60, 300])(
    'whether chunks are stored, when there are %d of them: a server that goes on with that plan has many later',
    async (few) => {
      const { rows } = await small.database.sql(`select prosrc as text, proconfig as settings from pg_proc where proname = 'append'`);
      const [{ text, settings }] = rows as [{ text: string; settings: readonly string[] }];
      const look = /select x into missing [^;]+/.exec(text)?.[0].replace('into missing', '').replaceAll('named', `'ab,ab,cd'`);
      await small.database.sql(
        `insert into distilog.chunks select sha256(n::text::bytea), 'none', 1, 'x' from generate_series(1, ${few}) n on conflict do nothing; analyze distilog.chunks`,
      );
      const explained = (await small.database.sql(
        `begin; ${settings.map((setting) => `set local ${setting};`).join(' ')} explain (format json) ${look}; rollback`,
      )) as unknown as readonly { readonly rows: readonly { 'QUERY PLAN'?: readonly { Plan: PlanNode }[] }[] }[];
      const [plan] = explained.flatMap((result) => result.rows).find((row) => 'QUERY PLAN' in row)?.['QUERY PLAN'] ?? [];
      expect(plan && readBy(plan.Plan)).toEqual(['chunks_pkey']);
    },
  );
});
