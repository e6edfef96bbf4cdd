import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startPipeline } from '../../src/engine/index.ts';
import { chooseRun, isResumable, isRetryable, type RunChoice } from '../../src/cli/choose-run.ts';
import { history } from '../../src/cli/commands/history.ts';
import { runs } from '../../src/cli/commands/runs.ts';
import { status } from '../../src/cli/commands/status.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { findRun } from '../../src/views/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/postgres/index.ts';
import { silentTerminal } from '../unit/cli/silent-terminal.ts';
import { copyRun } from './many-runs.ts';
import { numbersPlan } from './runs.ts';
import { testDatabase, type TestDatabase } from './server.ts';

/** Two stores with many finished runs each. The oldest run is paused. */
const few = { database: await testDatabase(), copies: 30 };
const many = { database: await testDatabase(), copies: 3_000 };
const me = { user: 'me', host: 'here', pid: 1 };

beforeAll(async () => {
  for (const { database, copies } of [few, many]) {
    const store = await database.store();
    const paused = await startPipeline(store, numbersPlan(20), { runId: 'paused', seed: 1 });
    paused.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor: me });
    await paused.drive();
    // One without a rejected row, and one with a rejected row.
    for (const [runId, rows] of [
      ['lossy', 20],
      ['clean', 5],
    ] as const) {
      const run = await startPipeline(store, numbersPlan(rows), { runId, seed: 1 });
      await run.drive();
    }
    await copyRun((text) => database.sql(text), 'clean', copies);
  }
}, 120_000);
afterAll(() => vi.restoreAllMocks());

/** Returns the statements that `work` sends. */
async function statementsOf<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly statements: readonly string[] }> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    const result = await work();
    const calls = query.mock.calls as unknown as readonly (readonly [unknown])[];
    return { result, statements: calls.flatMap(([text]) => (typeof text === 'string' && text.includes('"distilog"') ? [text] : [])) };
  } finally {
    query.mockRestore();
  }
}

async function withStore<T>(database: TestDatabase, work: (store: PostgresStore) => Promise<T>): Promise<T> {
  const store = await openPostgresStore(database.app);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Returns the address of a database as `--store` takes it. */
function urlOf({ app }: TestDatabase): string {
  const { host = '', port, user, password, database } = app();
  const login = `${user}:${encodeURIComponent(String(password))}`;
  return host.startsWith('/')
    ? `postgres://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
    : `postgres://${login}@${host}:${port}/${database}`;
}

interface Printed {
  readonly runs: readonly { readonly runId: string; readonly changes?: { readonly since: string | null } }[];
  readonly notShown: number;
  readonly next: string | null;
}

/** Returns what a command prints: a document with `json`, otherwise lines. */
async function printed(command: (context: CommandContext) => Promise<void>): Promise<{ readonly json: Printed; readonly text: string }> {
  let json: unknown = null;
  const lines: string[] = [];
  const terminal = silentTerminal({
    printJson: (value) => {
      json = value;
    },
    print: (text) => void lines.push(...[text].flat()),
    printText: (text) => void lines.push(text),
  });
  await command({ terminal, exit: () => undefined, onInterrupt: () => undefined, goOnWithoutOutput: () => undefined });
  return { json: json as Printed, text: lines.join('\n') };
}

const choose = (choice: Pick<RunChoice, 'command' | 'isCandidate'>) => (store: PostgresStore) =>
  chooseRun(silentTerminal(), store, undefined, { ...choice, mayAsk: false });

describe('however many runs a store holds', () => {
  it.each<readonly [string, (context: CommandContext, store: string) => Promise<void>]>([
    ['runs', (context, store) => runs(context, { store })],
    ['runs --pipeline', (context, store) => runs(context, { store, pipeline: 'numbers' })],
    ['history', (context, store) => history(context, 'numbers', { store })],
    ['status', (context, store) => status(context, undefined, { store })],
  ])('%s sends as many statements', async (_name, command) => {
    const [atFew, atMany] = [few, many].map(
      ({ database }) =>
        () =>
          printed((context) => command(context, urlOf(database))),
    );
    const first = await statementsOf(atFew as () => Promise<unknown>);
    const second = await statementsOf(atMany as () => Promise<unknown>);
    expect(first.statements.length).toBeGreaterThan(0);
    expect(second.statements.length).toBe(first.statements.length);
  });

  it.each<readonly [string, (store: PostgresStore) => Promise<string>, string | RegExp]>([
    ['a command without a run', (store) => findRun(store, undefined), /^clean-(30|3000)$/],
    ['resume without a run', choose({ command: 'resume', isCandidate: isResumable(false) }), 'paused'],
    ['cancel without a run', choose({ command: 'cancel', isCandidate: ({ graph }) => graph.status === 'paused' }), 'paused'],
    ['retry without a run', choose({ command: 'retry', isCandidate: isRetryable }), 'lossy'],
  ])('%s sends as many statements, and finds its run', async (_name, find, expected) => {
    const first = await statementsOf(() => withStore(few.database, find));
    const second = await statementsOf(() => withStore(many.database, find));
    for (const { result } of [first, second]) expect(result).toMatch(expected);
    expect(second.statements.length).toBe(first.statements.length);
  });

  it.each([
    ['a page of all runs', 'events_runs', { until: 4e15 }],
    ['a page of a pipeline’s runs', 'events_runs_of_pipeline', { pipeline: 'numbers' }],
  ])('%s is read by its index in the order of the list', async (_what, index, selection) => {
    const plan = await planOf((store) => Array.fromAsync(store.log.runs({ ...selection, pageMax: 20 })), 'order by first.recorded_at desc');
    expect(plan).toContain(`Index Scan Backward using ${index} on`);
    expect(plan).not.toMatch(/Seq Scan|Sort/);
  });

  it.each([
    ['all runs are', 'events_runs', {}],
    ['the runs of a pipeline are', 'events_runs_of_pipeline', { pipeline: 'clean' }],
  ])('%s counted by an index', async (_what, index, selection) => {
    const plan = await planOf((store) => store.log.countRuns(selection), 'select count(*)');
    expect(plan).toMatch(new RegExp(`${index} on|on ${index}`));
    expect(plan).not.toContain('Seq Scan');
  });
});

/** Returns the plan of the first statement of `work` that contains a text, in the store with many runs. */
async function planOf(work: (store: PostgresStore) => Promise<unknown>, part: string): Promise<string> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  await withStore(many.database, work);
  const calls = query.mock.calls as unknown as readonly (readonly [unknown, (readonly unknown[])?])[];
  const [text, values] = calls.find(([asked]) => typeof asked === 'string' && asked.includes(part)) ?? [];
  query.mockRestore();
  const { rows } = await many.database.sql(`explain ${String(text)}`, values);
  return (rows as readonly { 'QUERY PLAN': string }[]).map((row) => row['QUERY PLAN']).join('\n');
}

describe('in a store with many runs', () => {
  const store = () => urlOf(few.database);
  const total = few.copies + 3;

  it('distilog runs shows the newest 20, the number of the others, and the next ones with --before', async () => {
    const { text } = await printed((context) => runs(context, { store: store() }));
    expect(text).toMatch(
      /clean-30 [\s\S]*clean-11 .*\n13 older runs are not shown\. To list them, add --all, --limit N, or --before clean-11\.$/,
    );
    expect(text).not.toContain('clean-10 ');
    const seen: string[] = [];
    for (let before: string | null | undefined; before !== null; ) {
      const { json } = await printed((context) => runs(context, { store: store(), json: true, limit: '7', before: before ?? undefined }));
      seen.push(...json.runs.map(({ runId }) => runId));
      expect(json.notShown).toBe(total - seen.length);
      before = json.next;
    }
    const { json: all } = await printed((context) => runs(context, { store: store(), json: true, all: true }));
    expect(seen).toEqual(all.runs.map(({ runId }) => runId));
    expect(all).toMatchObject({ notShown: 0, next: null });
    expect(seen).toHaveLength(total);
  });

  it('distilog history shows the newest 20, compares the oldest of them with the run before it, and starts at --since', async () => {
    const { json } = await printed((context) => history(context, 'numbers', { store: store(), json: true }));
    expect(json.runs.map(({ runId }) => runId)).toEqual(Array.from({ length: 20 }, (_, index) => `clean-${index + 11}`));
    expect(json).toMatchObject({ notShown: 13, next: 'clean-11' });
    expect(json.runs[0]?.changes?.since).toBe('clean-10');
    const { text } = await printed((context) => history(context, 'numbers', { store: store(), limit: '2' }));
    expect(text).toMatch(/^numbers {2}2 runs, oldest first\n31 older runs are not shown\. .*--before clean-29\.\n\nclean-29 /);
    const startedAt = await withStore(few.database, async ({ log }) => (await log.asOf('clean-25', 1))?.recordedAt ?? '');
    const { json: since } = await printed((context) => history(context, 'numbers', { store: store(), json: true, since: startedAt }));
    expect(since.runs.map(({ runId }) => runId)).toEqual([25, 26, 27, 28, 29, 30].map((n) => `clean-${n}`));
    expect(since).toMatchObject({ notShown: 0, next: null });
  });

  it('distilog runs reports that no run matches, and refuses an invalid limit or time', async () => {
    expect((await printed((context) => runs(context, { store: store(), since: '9999-01-01' }))).text).toBe('No run matches these options.');
    await expect(printed((context) => runs(context, { store: store(), limit: '0' }))).rejects.toMatchObject({ code: 'not-a-number' });
    await expect(printed((context) => runs(context, { store: store(), since: '12' }))).rejects.toMatchObject({ code: 'not-a-time' });
  });
});
