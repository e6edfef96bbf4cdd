import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pause } from '../../src/kit/pause.ts';
import { verify } from '../../src/log/index.ts';
import {
  inspectStore,
  migrate,
  openEmbeddedStore,
  openPostgresStore,
  openStore,
  select,
  stopEmbeddedStore,
  type Connect,
} from '../../src/postgres/index.ts';
import { openClient } from '../../src/postgres/connection.ts';
import { readyPostmaster, signal } from '../embedded/processes.ts';
import { ownServer, type OwnServer } from './own-server.ts';
import { cutAtEachPiece, openProxy } from './proxy.ts';
import { finishedRun } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const empty = await testDatabase({ isMigrated: false });
const secret = 'not-to-be-shown';

async function faultOf(work: Promise<{ close(): Promise<void> }>): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await (await work).close();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: 'opened', message: '' };
}

describe('opening a store', () => {
  it('names the address where no server answered, and shows no password', async () => {
    const fault = await faultOf(openStore({ store: `postgres://me:${secret}@127.0.0.1:1/log`, folder: '' }));
    expect(fault.code).toBe('store-unreachable');
    expect(fault.message).toContain('127.0.0.1:1');
    expect(JSON.stringify([fault, fault.message, String((fault as { stack?: string }).stack)])).not.toContain(secret);
  });

  it('distinguishes a host that does not exist from one that does not answer', async () => {
    const fault = await faultOf(openStore({ store: `postgres://me:${secret}@nowhere.invalid/log`, folder: '' }));
    expect(fault.message).toContain('nowhere.invalid');
    expect(fault.message).not.toContain(secret);
  });

  it.each(['mysql://me@h/log', 'not a url', 'file:log.db'])('refuses %s, which is no PostgreSQL', async (store) => {
    expect((await faultOf(openStore({ store, folder: '' }))).code).toBe('not-a-store');
  });

  it('names the command that sets up a database without the schema, and leaves the database unchanged', async () => {
    const fault = await faultOf(openPostgresStore(empty.owner));
    expect(fault.code).toBe('not-migrated');
    expect(fault.message).toContain('distilog db migrate');
    expect((await empty.sql(`select to_regnamespace('distilog') as found`)).rows).toEqual([{ found: null }]);
  });

  it('refuses a database that a newer version has changed', async () => {
    await database.sql(`insert into distilog.migrations values ('9999-later', now()::text)`);
    expect((await faultOf(openPostgresStore(database.app))).code).toBe('schema-too-new');
    await expect(migrate(database.owner)).rejects.toMatchObject({ code: 'schema-too-new' });
    await database.sql(`delete from distilog.migrations where name = '9999-later'`);
  });

  it('names a database that does not exist', async () => {
    const fault = await faultOf(openPostgresStore(() => ({ ...database.owner(), database: 'not-there' })));
    expect(fault.code).toBe('no-such-database');
    expect(fault.message).toContain('not-there');
  });

  it.runIf(database.hasRoles)('reports a wrong password without showing it', async () => {
    const fault = await faultOf(openPostgresStore(() => ({ ...database.app(), user: 'distilog_nobody', password: secret })));
    expect(fault.code).toBe('wrong-password');
    expect(fault.message).not.toContain(secret);
  });

  it('refuses a database that cannot hold every text', async () => {
    const name = `${(await database.sql('select current_database() as name')).rows[0].name as string}_ascii`;
    await database.sql(`create database ${name} template template0 encoding 'SQL_ASCII' locale_provider libc lc_collate 'C' lc_ctype 'C'`);
    const fault = await faultOf(openPostgresStore(() => ({ ...database.owner(), database: name })));
    await database.sql(`drop database ${name} with (force)`);
    expect(fault.code).toBe('not-utf8');
  });
});

describe('a store whose connections are cut while it is opened', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await ownServer();
  });
  afterAll(() => server.remove());

  const unanswered = {
    code: expect.stringMatching(/^(store-unreachable|connection-lost)$/),
    message: expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:\d+, database \S+ does not answer: /),
  };

  it.each([
    ['opened', (connect: Connect) => openPostgresStore(connect).then((store) => store.close())],
    ['looked at', inspectStore],
    ['asked', (connect: Connect) => select(connect, 'select 1', { rowsMax: 1, timeoutMs: 1_000 })],
  ])('and %s, says so in a sentence at every moment', async (_what, work) => {
    const proxy = await openProxy(server.socket);
    const ends = await cutAtEachPiece<unknown>(proxy, () => work(proxy.through(server.app)));
    for (const end of ends) if (end instanceof Error) expect(end).toMatchObject(unanswered);
    expect(ends.filter((end) => end instanceof Error).length).toBeGreaterThan(5);
    await proxy.close();
  });
});

describe('a connection', () => {
  it('ignores the settings that the database has for all users', async () => {
    const hostile = await testDatabase();
    const name = (await hostile.sql('select current_database() as name')).rows[0].name as string;
    const settings = {
      timezone: 'Asia/Kathmandu',
      datestyle: 'SQL, DMY',
      intervalstyle: 'sql_standard',
      bytea_output: 'escape',
      default_transaction_isolation: 'serializable',
      synchronous_commit: 'off',
      search_path: 'pg_catalog',
    };
    for (const [key, value] of Object.entries(settings)) {
      await hostile.sql(`alter database ${name} set ${key} = ${pg.escapeLiteral(value)}`);
    }
    const store = await hostile.store();
    const runId = await finishedRun(store, 30);
    expect(await verify(store, runId)).toMatchObject({ ok: true });
    expect(Math.abs(Date.parse((await store.log.head(runId))?.recordedAt ?? '') - Date.now())).toBeLessThan(60_000);
    const client = await openClient(hostile.app, 'test');
    const shown = async (setting: string) => Object.values((await client.query(`show ${setting}`)).rows[0] as object)[0];
    expect([await shown('synchronous_commit'), await shown('transaction_isolation'), await shown('timezone')]).toEqual([
      'on',
      'read committed',
      'UTC',
    ]);
    await client.end();
  });

  it('leaves alone how other users of pg in this process read numbers and times', async () => {
    await (await database.store()).log.head('none');
    const { rows } = await database.sql('select 1::int8 as number, now() as time');
    expect(rows).toEqual([{ number: '1', time: expect.any(Date) }]);
  });
});

describe('a server', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-own-'));
  fs.chmodSync(folder, 0o755);
  afterAll(async () => {
    await stopEmbeddedStore(folder);
    fs.rmSync(folder, { recursive: true, force: true });
  });

  // None is ready while it comes back from the last time.
  const killServer = () => readyPostmaster(folder) !== 0 && signal(readyPostmaster(folder));

  it.each([
    ['that does not sync to disk', 'fsync', 'off', 'fsync-off'],
    ['that takes no writes', 'default_transaction_read_only', 'on', 'read-only'],
  ])('%s is refused', async (_what, setting, value, code) => {
    const server = await ownServer();
    const change = async (sql: string) => {
      const client = new pg.Client(server.owner());
      await client.connect();
      await client.query('set transaction_read_only = off');
      await client.query(sql);
      await client.query('select pg_reload_conf()');
      await client.end();
      await pause(300);
    };
    try {
      expect((await faultOf(openPostgresStore(server.owner))).code).toBe('opened');
      await change(`alter system set ${setting} = ${value}`);
      expect((await faultOf(openPostgresStore(server.owner))).code).toBe(code);
      await change(`alter system reset ${setting}`);
      expect((await faultOf(openPostgresStore(server.owner))).code).toBe('opened');
    } finally {
      await server.remove();
    }
  });

  it('that is killed and comes back is read on from where a reader was, and written to', async () => {
    const embedded = await openEmbeddedStore(folder);
    await migrate(() => ({ ...embedded.owner() }));
    const store = await openPostgresStore(() => ({ ...embedded.app() }));
    try {
      const runId = await finishedRun(store, 5_000);
      const head = (await store.log.head(runId))?.position ?? 0;
      expect(head).toBeGreaterThan(2_000);
      const seen: number[] = [];
      for await (const page of store.log.read(runId)) {
        seen.push(...page.map(({ position }) => position));
        if (seen.length === 1_000) killServer();
      }
      expect(seen).toEqual(Array.from({ length: head }, (_, index) => index + 1));
      killServer();
      const again = await finishedRun(store, 20);
      expect(await verify(store, again)).toMatchObject({ ok: true });
    } finally {
      await store.close();
      embedded.close();
    }
  }, 90_000);

  it('in the folder is waited for by a process that opens the store just after the server died', async () => {
    const holder = await openStore({ folder, environment: {} });
    try {
      for (let kills = 0; kills < 3; kills++) {
        killServer();
        expect((await faultOf(openStore({ folder, environment: {} }))).code).toBe('opened');
      }
    } finally {
      await holder.close();
    }
  }, 90_000);
});
