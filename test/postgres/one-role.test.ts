import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { verify } from '../../src/log/index.ts';
import { inspectStore, migrate, openPostgresStore } from '../../src/postgres/index.ts';
import { storeContract } from '../contract/store-contract.ts';
import { finishedRun } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase({ isMigrated: false });
const name = `distilog_plain_${randomBytes(4).toString('hex')}`;
const stranger = `${name}_stranger`;

const login = (user: string) => () => ({ ...database.owner(), user, password: 'plain' });
const plain = login(name);

if (database.hasRoles) {
  await database.sql(`create role ${name} login password 'plain'; create role ${stranger} login password 'plain';
    create schema distilog authorization ${name}`);
  await migrate(plain);
  // Only where nothing else was made for it: this database is its own.
  await database.sql('revoke all on schema distilog from distilog_app');
}
const stores = database.hasRoles ? [await openPostgresStore(plain)] : [];
afterAll(async () => {
  for (const store of stores) await store.close();
  if (!database.hasRoles) return;
  await database.sql(`drop schema distilog cascade; drop owned by ${name}, ${stranger}; drop role ${name}, ${stranger}`);
});

async function refusal(connect: () => pg.ClientConfig, sql: string): Promise<string | undefined> {
  const client = new pg.Client(connect());
  await client.connect();
  try {
    await client.query(sql);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.end();
  }
}

describe.runIf(database.hasRoles)('a server with one ordinary role, in a schema that was made for it,', () => {
  const [store] = stores as [(typeof stores)[number]];

  it('says that only triggers keep history', () => {
    expect(store.appendOnlyBy).toBe('trigger');
  });

  it('has everything as it was made', async () => {
    expect((await inspectStore(plain)).guardsOff).toEqual([]);
  });

  it('runs a pipeline', async () => {
    const runId = await finishedRun(store);
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });

  it.each(['events', 'commits', 'chunks', 'heads'])('refuses its owner to delete or truncate %s', async (table) => {
    expect(await refusal(plain, `delete from distilog.${table}`)).toBe('42501');
    expect(await refusal(plain, `truncate distilog.${table} cascade`)).toBe('42501');
  });

  it.each([
    'select from distilog.events',
    'select from distilog.history',
    `select distilog.position_at('x', now())`,
    'table distilog.chunks',
  ])('does not let a stranger %s', async (sql) => {
    expect(await refusal(login(stranger), sql)).toBe('42501');
  });

  storeContract('the store of one ordinary role', async () => store);
});
