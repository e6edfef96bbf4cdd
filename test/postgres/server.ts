import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { migrate, openPostgresStore, urlOf, type Connect, type PostgresStore } from '../../src/postgres/index.ts';
import { appPassword, configFor, copyDatabase, createDatabase, dropDatabase, makeAppRole, runSql } from './databases.ts';

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

/** Makes a database on the tests' server, and drops it when the file is done. */
export async function testDatabase(options: { readonly isMigrated?: boolean } = {}): Promise<TestDatabase> {
  const other = process.env[serverVariable];
  const url = other ?? inject('serverUrl');
  const isMigrated = options.isMigrated ?? true;
  const hasRoles = await makeAppRole(url);
  const isCopy = isMigrated && other === undefined;
  const name = isCopy ? await copyDatabase(url, inject('templateDatabase')) : await createDatabase(url);
  const owner = () => configFor(url, name);
  if (hasRoles) await runSql(owner(), `grant connect on database ${name} to distilog_app`);
  if (isMigrated && !isCopy) await migrate(owner);
  const app = () => (hasRoles ? configFor(url, name, { user: 'distilog_app', password: appPassword }) : owner());
  const opened: PostgresStore[] = [];
  afterAll(async () => {
    for (const store of opened) await store.close();
    await dropDatabase(url, name);
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
    sql: (text, values) => runSql(owner(), text, values),
  };
}

/** Returns a login as the URL that a command takes. */
export function urlFor(connect: Connect): string {
  const { host, port, user, password, database } = new pg.Client(connect());
  return urlOf({ host, port, user: user ?? '', password: String(password), database: database ?? '' });
}
