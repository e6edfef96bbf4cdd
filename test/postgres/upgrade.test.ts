// Stores of released versions, brought to this version's schema: what docs/UPGRADING.md says.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { resumePipeline } from '../../src/engine/index.ts';
import { verify, type Store } from '../../src/log/index.ts';
import { plan } from '../../src/pipeline/index.ts';
import { migrate, migrationFiles, openEmbeddedStore, openPostgresStore, openStore, stopEmbeddedStore } from '../../src/postgres/index.ts';
import { everyOperator } from '../golden/0.1.0/pipelines.ts';
import { exportedRows } from '../golden/expectation.ts';
import { cutAt, expectedOf, goldenLog } from '../golden/golden-log.ts';
import { restoreInPostgres } from '../golden/restore.ts';
import { testDatabase } from './server.ts';

const expected = expectedOf('0.1.0')['finished'];
const lostAt = expected?.interrupted?.at ?? 0;
const [first, ...later] = migrationFiles();

type Query = (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>;

/** Makes an empty database what 0.1.0 left: its schema, and a run whose driver was lost. */
async function makeEarlierStore(query: Query): Promise<void> {
  await query(first?.sql ?? '');
  await query(`create table distilog.migrations (name varchar(255) primary key, timestamp varchar(255) not null);
    create table distilog.migration_lock (id varchar(255) primary key, is_locked integer not null default 0);
    insert into distilog.migrations values ('${first?.name}', '2026-11-27'); insert into distilog.migration_lock values ('migration_lock', 0)`);
  await restoreInPostgres(cutAt(goldenLog('0.1.0', 'finished'), lostAt), query);
}

/** Checks, resumes and exports the run as its user would. */
async function expectUpgraded(store: Store): Promise<void> {
  const { head } = cutAt(goldenLog('0.1.0', 'finished'), lostAt).logs[0] ?? {};
  expect(await verify(store, 'finished')).toMatchObject({ ok: true, head: { position: head?.position, hash: head?.hash } });
  const of = plan(everyOperator({ isMended: false, slowMs: 0 }), { params: { items: 24 } });
  const run = await resumePipeline(store, of, { runId: 'finished', seize: false, acceptedChanges: [], concurrency: {}, skip: [] });
  const { position } = await run.drive();
  expect(await exportedRows(store, 'finished', position)).toEqual(expected?.interrupted?.resumed);
  expect(await verify(store, 'finished')).toMatchObject({ ok: true });
}

describe('a store of 0.1.0', () => {
  it('on a server is refused until it is migrated; then its runs verify, resume and export', async () => {
    const database = await testDatabase({ isMigrated: false });
    await makeEarlierStore(database.sql);
    await expect(openPostgresStore(database.owner)).rejects.toMatchObject({
      code: 'not-migrated',
      message: expect.stringContaining('Run once: distilog db migrate') as string,
      details: { pending: later.map(({ name }) => name).join(', ') },
    });
    expect(await migrate(database.owner)).toEqual(later.map(({ name }) => name));
    await expectUpgraded(await database.store());
  });

  it('in a folder is migrated when it is opened; then its runs verify, resume and export', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-upgrade-'));
    fs.chmodSync(folder, 0o755);
    try {
      const server = await openEmbeddedStore(folder);
      const owner = new pg.Client({ ...server.owner() });
      await owner.connect();
      await makeEarlierStore((text, values = []) => owner.query(text, [...values]));
      await owner.end();
      const store = await openStore({ folder, environment: {} });
      await expectUpgraded(store);
      await store.close();
      server.close();
    } finally {
      await stopEmbeddedStore(folder, { force: true });
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it('no longer takes a program of 0.1.0, which knows the first migration only', async () => {
    const database = await testDatabase();
    const { rows } = await database.sql('select name from distilog.migrations order by name');
    const names = (rows as readonly { readonly name: string }[]).map(({ name }) => name);
    // It refuses a store that has any migration but its own: schema-too-new.
    expect(names.filter((name) => name !== first?.name)).toEqual(later.map(({ name }) => name));
    expect(later.length).toBeGreaterThan(0);
  });
});
