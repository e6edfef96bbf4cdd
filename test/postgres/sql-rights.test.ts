import { afterAll, describe, expect, it } from 'vitest';
import { select, type Connect, type QueryResult } from '../../src/postgres/index.ts';
import { ownServer } from './own-server.ts';

const server = await ownServer();
const as =
  (user: string): Connect =>
  () => ({ ...server.owner(), user });
const ask = (connect: Connect, text: string): Promise<QueryResult> => select(connect, text, { rowsMax: 10, timeoutMs: 5_000 });
const refused = (reason: RegExp) => ({ code: 'login-too-powerful', message: expect.stringMatching(reason) as string });

afterAll(() => server.remove());

describe('a statement of distilog sql', () => {
  it('is not run with a login that has rights beyond the database, or may get them', async () => {
    await server.sql('create role reader login; create role boss superuser; create role climber login noinherit in role boss');
    await server.sql('create role loader login in role pg_read_server_files; create role late login noinherit in role loader');
    await server.sql(
      'create role replica login replication; create role granted login; grant execute on function pg_read_file(text) to granted',
    );
    for (const role of ['reader', 'climber', 'loader', 'late', 'replica', 'granted'])
      await server.sql(`grant usage on schema distilog to ${role}; grant select on all tables in schema distilog to ${role}`);
    const harmless = 'select 1 as one';
    await expect(ask(server.owner, harmless)).rejects.toMatchObject(
      refused(/^The command sql runs no statement as postgres, which is a superuser,.*create role distilog_reader/),
    );
    await expect(ask(as('climber'), harmless)).rejects.toMatchObject(refused(/may become the superuser boss/));
    for (const role of ['loader', 'late'])
      await expect(ask(as(role), harmless)).rejects.toMatchObject(refused(/has the rights of pg_read_server_files/));
    await expect(ask(as('replica'), harmless)).rejects.toMatchObject(refused(/may replicate the server/));
    await expect(ask(as('granted'), harmless)).rejects.toMatchObject(refused(/may call pg_read_file\(text\)/));
    for (const connect of [server.app, as('reader')]) expect((await ask(connect, harmless)).rows).toEqual([[1]]);
  });

  it.each([
    `select pg_read_file('PG_VERSION')`,
    `select query_to_xml('select pg_read_file(''PG_VERSION'')', true, true, '')`,
    `select pg_ls_dir('.')`,
    `select lo_import('/etc/hostname')`,
    `select set_config('role', 'postgres', true), query_to_xml('select pg_read_file(''PG_VERSION'')', true, true, '')`,
    `select set_config('session_authorization', 'postgres', true)`,
    `select set_config('transaction_read_only', 'off', true)`,
    `select lo_create(0)`,
    `set role postgres`,
    `copy (select 1) to '/tmp/out'`,
    `select * from distilog.admit('reader')`,
  ])('is refused: %s', async (text) => {
    for (const connect of [server.app, server.owner]) await expect(ask(connect, text)).rejects.toMatchObject({ name: 'Fault' });
  });

  it('is not run where dblink could act elsewhere as another user', async () => {
    await server.sql('create extension dblink');
    try {
      await expect(ask(server.app, 'select 1')).rejects.toMatchObject(refused(/may call (public\.)?dblink/));
    } finally {
      await server.sql('drop extension dblink');
    }
  });
});
