import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { migrate, openPostgresStore, type Connect, type PostgresStore } from '../../src/postgres/index.ts';

/** A database of a test file's own, migrated. */
export interface TestDatabase {
  /** The role that owns everything. */
  readonly owner: Connect;
  /** The program's role; the owner again on a server where no role can be made. */
  readonly app: Connect;
  readonly hasRoles: boolean;
  store(): Promise<PostgresStore>;
  /** Runs SQL as the owner. */
  sql(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
}

/** Names another server than the one that tests share, for the tests of one file. */
export const serverVariable = 'DISTILOG_TEST_SERVER';

const appPassword = 'app-of-tests';

/** Makes a database on the tests' server, and drops it when the file is done. */
export async function testDatabase(options: { readonly isMigrated?: boolean } = {}): Promise<TestDatabase> {
  const url = process.env[serverVariable] ?? inject('serverUrl');
  const name = `distilog_test_${randomBytes(5).toString('hex')}`;
  const connectTo = (database: string, login?: { readonly user: string; readonly password: string }): pg.ClientConfig => {
    const client = new pg.Client({ connectionString: url });
    const { host, port, user, password } = client;
    return { host, port, user: login?.user ?? user ?? '', password: login?.password ?? password ?? '', database, options: '' };
  };
  const run = async (config: pg.ClientConfig, text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> => {
    const client = new pg.Client(config);
    await client.connect();
    try {
      return await client.query(text, [...values]);
    } finally {
      await client.end();
    }
  };
  const server = connectTo(new pg.Client({ connectionString: url }).database ?? 'postgres');
  const hasRoles = await makeAppRole((text) => run(server, text));
  // Whatever the server's own templates are in.
  await run(server, `create database ${name} encoding 'UTF8' template template0`);
  const owner = () => connectTo(name);
  if (hasRoles) await run(server, `grant connect on database ${name} to distilog_app`);
  if (options.isMigrated ?? true) await migrate(owner);
  const app = () => (hasRoles ? connectTo(name, { user: 'distilog_app', password: appPassword }) : owner());
  const opened: PostgresStore[] = [];
  afterAll(async () => {
    for (const store of opened) await store.close();
    await run(server, `drop database ${name} with (force)`);
  });
  return {
    owner,
    app,
    hasRoles,
    store: async () => {
      const store = await openPostgresStore(app);
      opened.push(store);
      return store;
    },
    sql: (text, values) => run(owner(), text, values),
  };
}

/** Test files run beside each other: whoever comes second finds the role. */
async function makeAppRole(run: (text: string) => Promise<pg.QueryResult>): Promise<boolean> {
  const verbs = ['create role', 'alter role', 'alter role', 'alter role'];
  for (const verb of verbs) {
    try {
      await run(`${verb} distilog_app login password '${appPassword}'`);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === '42501') return false;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('role distilog_app could be neither made nor altered');
}
