// False snapshots, written with the program's login and by the owner with every guard switched off: no reader takes one, and verify names it.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDistiset } from '../../src/distiset/index.ts';
import { resumePipeline, startPipeline } from '../../src/engine/index.ts';
import { canonicalJson } from '../../src/kit/json.ts';
import { checkSnapshots, foldAt, rebuild, resolveAsOf, snapshotKey, verify, ignoreSnapshots, type Store } from '../../src/log/index.ts';
import { openPostgresStore, urlOf } from '../../src/postgres/index.ts';
import { graph, projections } from '../../projections/index.ts';
import { distilog, json, embeddedFolder } from '../e2e/command.ts';
import { finishedRun, numbersPlan } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const store = await database.store();
const runId = await finishedRun(store, 2_000);
const cwd = embeddedFolder();
/** The UPDATE of an attacker who wants the leaf to end at its fifth batch. */
const shortened = `update distilog.snapshots set state = jsonb_set(state::jsonb, '{steps,even,end}', '5')::text where log_id = '${runId}' and projection = 'graph'`;
const falseState = `jsonb_set(state::jsonb, '{steps,even,end}', '5')::text`;

const positions = [500, 507, 777, 1_000];

/** Rows of the leaf as of the head, and the states of all folds as of some positions and the head. */
async function lookAt(from: Store): Promise<readonly unknown[]> {
  const head = (await from.log.head(runId))?.position ?? 0;
  const states: unknown[] = [];
  for (const position of [...positions, head]) {
    for (const each of projections) states.push([position, each.name, canonicalJson(await foldAt(from, each, runId, position))]);
  }
  return [await rowsOf(from, runId), states];
}

async function rowsOf(from: Store, of: string): Promise<number> {
  const { configs } = await createDistiset(from, of, { asOf: await resolveAsOf(from.log, of, { kind: 'head' }) });
  let rows = 0;
  for (const config of configs) for await (const _row of config.rows()) rows++;
  return rows;
}

const asUrl = (config: pg.ClientConfig) => {
  const { host, port, user, password, database: named } = new pg.Client(config);
  return urlOf({ host, port, user: user ?? '', password: String(password), database: named ?? '' });
};

async function refusal(sql: string): Promise<string> {
  const client = new pg.Client(database.app());
  await client.connect();
  try {
    await client.query(sql);
    return 'was let through';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await client.end();
  }
}

const owner = { store: '' };

beforeAll(async () => {
  owner.store = asUrl(database.owner());
  await database.sql('create table public.snapshots as table distilog.snapshots; alter table distilog.snapshots disable trigger all');
});
afterEach(async () => {
  await database.sql('delete from distilog.snapshots; insert into distilog.snapshots table public.snapshots');
});

const callFor = (state: string, position: number, namedAt: number) => `select distilog.store_snapshots(array['${runId}'], array['graph'],
  array[${graph.version}], array['${snapshotKey(graph, runId).fingerprint}'], array[${position}], array[${namedAt}], array['${state}'])`;

describe.runIf(database.hasRoles)('the program’s login', () => {
  it.each([
    shortened,
    `delete from distilog.snapshots where log_id = '${runId}'`,
    `insert into distilog.snapshots select log_id, projection, version, fingerprint, position + 7, ${falseState}, named_at from distilog.snapshots`,
  ])('may not: %s', async (sql) => {
    expect(await refusal(sql)).toBe('42501');
  });

  it('cannot store a state that the log does not name, at a free position or in place of another', async () => {
    const { rows } = await database.sql(`select named_at::int as at from distilog.snapshots where position = 500 and projection = 'graph'`);
    const [{ at }] = rows as [{ at: number }];
    for (const [position, namedAt] of [
      [500, at],
      [700, at],
      [700, 701],
      [700, 99_999],
      [2_000, 2_001],
    ] as const)
      expect(await refusal(callFor('{"status":"succeeded"}', position, namedAt)), `${position} at ${namedAt}`).toBe('23503');
    expect(await checkSnapshots(store, projections, runId)).toMatchObject({ snapshots: 10, firstDifference: null });
  });

  it('may look at a log that holds snapshots of others with the right to read alone', async () => {
    const role = `distilog_reader_${randomBytes(4).toString('hex')}`;
    await database.sql(`create role ${role} login password 'reader'; grant usage on schema distilog to ${role};
      grant select on all tables in schema distilog to ${role}; grant execute on function distilog.position_at to ${role}`);
    const reader = await openPostgresStore(() => ({ ...database.owner(), user: role, password: 'reader' }));
    try {
      const truth = await lookAt(ignoreSnapshots(store));
      expect(await lookAt(reader)).toEqual(truth);
      await database.sql(`${shortened}; update distilog.snapshots set named_at = 1 where projection <> 'graph'`);
      expect(await lookAt(reader)).toEqual(truth);
      expect((await checkSnapshots(reader, projections, runId)).firstDifference).not.toBeNull();
    } finally {
      await reader.close();
      await database.sql(`drop owned by ${role}; drop role ${role}`);
    }
  });
});

describe('a false snapshot that the owner wrote, with the guards off,', () => {
  const forgeries: readonly (readonly [string, string])[] = [
    ['changed', shortened],
    [
      'inserted at free positions, with the name of another',
      `insert into distilog.snapshots select log_id, projection, version, fingerprint, position + 7, ${falseState}, named_at from distilog.snapshots where projection = 'graph'`,
    ],
    [
      'inserted at free positions, named by nothing',
      `insert into distilog.snapshots select log_id, projection, version, fingerprint, position + 150, ${falseState}, position + 151 from distilog.snapshots where projection = 'graph'`,
    ],
    [
      'put in the place of another',
      `delete from distilog.snapshots where position = 1000 and projection = 'graph';
       insert into distilog.snapshots select log_id, projection, version, fingerprint, 1000, ${falseState}, named_at from distilog.snapshots where position = 500 and projection = 'graph'`,
    ],
    [
      'of another position, with its own name',
      `update distilog.snapshots s set state = o.state from distilog.snapshots o
         where s.position = 1000 and o.position = 500 and s.projection = 'graph' and o.projection = 'graph'`,
    ],
    [
      'next to the true one, under a later name',
      `insert into distilog.snapshots select log_id, projection, version, fingerprint, position, ${falseState}, named_at + 1 from distilog.snapshots where projection = 'graph'`,
    ],
  ];

  it.each(forgeries)('%s, is not read, and verify names it', async (_how, sql) => {
    const truth = await lookAt(ignoreSnapshots(store));
    await database.sql(sql);
    expect(await lookAt(store)).toEqual(truth);
    // The log is as it was.
    expect(await verify(store, runId)).toMatchObject({ ok: true });
    const { firstDifference } = await checkSnapshots(store, projections, runId);
    expect(firstDifference).toMatchObject({ projection: 'graph' });
  });

  it('is named by the command, and does not alter what it says of an export', async () => {
    const written = ['distiset', runId, '--at', '1000', '--format', 'jsonl', '--out'];
    await distilog([...written, 'honest', '--store', owner.store], { cwd });
    await database.sql(shortened);
    const { code, stdout } = await distilog(['verify', runId, '--store', owner.store], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain(`altered: ${runId}, the snapshot of graph at position 500: it is not the state that the events give.`);
    await distilog([...written, 'attacked', '--store', owner.store], { cwd });
    for (const directory of ['honest', 'attacked'])
      expect(await json(['verify', '--distiset', directory, '--store', owner.store], { cwd })).toMatchObject({ ok: true, position: 1_000 });
    expect(fs.readFileSync(path.join(cwd, 'attacked/distilog.json'))).toEqual(fs.readFileSync(path.join(cwd, 'honest/distilog.json')));
  });

  it('is not read by a resume, which gives the same rows', async () => {
    const of = numbersPlan(2_000);
    const run = await startPipeline(store, of, { seed: 1 });
    const driving = run.drive();
    for (;;) {
      const head = await store.log.head(run.runId);
      if ((head?.position ?? 0) > 600) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    run.stop({ kind: 'pause', reason: 'asked', message: 'paused', step: null, actor: { user: 'u', host: 'h', pid: 1 } });
    await driving;
    const { rows } = await database.sql(
      `update distilog.snapshots set state = jsonb_set(state::jsonb, '{status}', '"succeeded"')::text where log_id = $1 and projection = 'graph' returning 1`,
      [run.runId],
    );
    expect(rows.length).toBeGreaterThan(0);
    const resumed = await resumePipeline(store, of, { runId: run.runId, seize: false, acceptedChanges: [], concurrency: {}, skip: [] });
    const { rest } = await resumed.drive();
    expect(rest).toBe('partial');
    expect(await rowsOf(store, run.runId)).toBe(await rowsOf(store, runId));
  });

  it('is reported by rebuild, which stores the true one next to it', async () => {
    await database.sql(shortened);
    const { code, stdout } = await distilog(['rebuild', runId, '--store', owner.store], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^different: the snapshot of graph at position 500: it is not the state that the events give\. It is never read\./,
    );
    expect(stdout).toMatch(/Stored again: the states at 2 positions that the log names\./);
    expect(await json(['verify', runId, '--store', owner.store], { cwd })).toMatchObject({ ok: false, firstBad: null });
    await database.sql(`delete from distilog.snapshots s where not exists (select from public.snapshots p where p = s)`);
    expect(await rebuild(store, projections, runId, { writer: 'w' })).toMatchObject({ firstDifference: null });
  });
});
