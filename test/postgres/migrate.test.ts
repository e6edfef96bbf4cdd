import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { migrate, migrationFiles, openPostgresStore, pendingMigrations } from '../../src/postgres/index.ts';
import { ownServer } from './own-server.ts';
import { cutAtEachPiece, openProxy } from './proxy.ts';
import { finishedRun } from './runs.ts';
import { testDatabase } from './server.ts';

const names = migrationFiles().map(({ name }) => name);

const { hasRoles } = await testDatabase({ isMigrated: false });

describe('migrating a store', () => {
  it('lists pending migrations without running them, runs them once, and does nothing the second time', async () => {
    const database = await testDatabase({ isMigrated: false });
    expect((await pendingMigrations(database.owner)).map(({ name }) => name)).toEqual(names);
    expect((await database.sql(`select to_regnamespace('distilog') as found`)).rows).toEqual([{ found: null }]);
    expect(await migrate(database.owner)).toEqual(names);
    expect(await pendingMigrations(database.owner)).toEqual([]);
    expect(await migrate(database.owner)).toEqual([]);
  });

  it('happens once even if several processes ask for it at the same time', async () => {
    const database = await testDatabase({ isMigrated: false });
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(database.owner)));
    expect(applied.flat()).toEqual(names);
    await finishedRun(await database.store(), 10);
  });

  it('does not wait for the lock when nothing is pending: a process may be stopped while it holds the lock', async () => {
    const database = await testDatabase();
    const stopped = new pg.Client(database.owner());
    await stopped.connect();
    // Kysely's own.
    await stopped.query('select pg_advisory_lock(3853314791062309107)');
    expect(await migrate(database.owner)).toEqual([]);
    await stopped.end();
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const database = await testDatabase({ isMigrated: false });
    // Something of that name is in the way of the last table.
    await database.sql('create schema distilog; create table distilog.snapshots ()');
    await expect(migrate(database.owner)).rejects.toMatchObject({ code: 'database-error' });
    expect((await database.sql(`select to_regclass('distilog.events') as found`)).rows).toEqual([{ found: null }]);
    await database.sql('drop table distilog.snapshots');
    expect(await migrate(database.owner)).toEqual(names);
  });

  it('fails with a readable message whenever its connection is cut, and continues where it stopped', async () => {
    const server = await ownServer();
    await server.sql('drop schema distilog cascade');
    const proxy = await openProxy(server.socket);
    const through = proxy.through(server.owner);
    const ends = await cutAtEachPiece(proxy, () => migrate(through));
    for (const end of ends)
      if (end instanceof Error) expect(end).toMatchObject({ code: expect.stringMatching(/^(connection-lost|store-unreachable)$/) });
    expect(ends.length).toBeGreaterThan(10);
    expect(await pendingMigrations(server.owner)).toEqual([]);
    await proxy.close();
    await server.remove();
  });

  it('can be shown first: the SQL runs by itself, in one go', async () => {
    const database = await testDatabase({ isMigrated: false });
    for (const { sql } of await pendingMigrations(database.owner)) await database.sql(sql);
    expect((await database.sql(`select to_regclass('distilog.events') is not null as found`)).rows).toEqual([{ found: true }]);
  });

  it.runIf(hasRoles)('admits the program’s role where that was made later', async () => {
    const database = await testDatabase();
    await database.sql(`revoke all on all tables in schema distilog from distilog_app; revoke all on all functions in schema distilog from distilog_app;
      revoke all on schema distilog from distilog_app`);
    await expect(openPostgresStore(database.app)).rejects.toMatchObject({ code: 'not-allowed' });
    expect(await migrate(database.owner)).toEqual([]);
    const store = await database.store();
    expect(store.appendOnlyBy).toBe('roles');
    await finishedRun(store, 10);
  });

  it.runIf(hasRoles)('drops the snapshots of 0.1.0, which no event names, and the right of admitted roles to change any', async () => {
    const database = await testDatabase({ isMigrated: false });
    const other = `distilog_other_${randomBytes(4).toString('hex')}`;
    const [log] = await pendingMigrations(database.owner);
    await database.sql(`${log?.sql}; create role ${other}; select distilog.admit('${other}');
      create table distilog.migrations (name varchar(255) primary key, timestamp varchar(255) not null);
      create table distilog.migration_lock (id varchar(255) primary key, is_locked integer not null default 0);
      insert into distilog.migrations values ('${log?.name}', '2026-11-27'); insert into distilog.migration_lock values ('migration_lock', 0);
      insert into distilog.snapshots values ('run', 'graph', 1, 'f', 500, '{"steps":{}}')`);
    const may = (role: string) =>
      database.sql(`select string_agg(p, ' ') as may from unnest(array['select', 'insert', 'update', 'delete']) as p
        where has_table_privilege('${role}', 'distilog.snapshots', p)`);
    expect((await may(other)).rows).toEqual([{ may: 'select insert update delete' }]);
    expect(await migrate(database.owner)).toEqual(names.slice(1));
    expect((await database.sql('table distilog.snapshots')).rows).toEqual([]);
    for (const role of ['distilog_app', other]) {
      expect((await may(role)).rows).toEqual([{ may: 'select' }]);
      const { rows } = await database.sql(
        `select bool_and(has_function_privilege('${role}', oid, 'execute')) as may from pg_proc where proname = 'store_snapshots'`,
      );
      expect(rows).toEqual([{ may: true }]);
    }
    await finishedRun(await database.store(), 10);
    await database.sql(`drop owned by ${other}; drop role ${other}`);
  });
});
