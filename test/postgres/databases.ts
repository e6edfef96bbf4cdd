import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../src/postgres/index.ts';

/** The password of the program's role on a server of tests. */
export const appPassword = 'app-of-tests';

/** Returns how `database` of the server at `url` is reached, by the owner or by another login. */
export function configFor(url: string, database: string, login?: { readonly user: string; readonly password: string }): pg.ClientConfig {
  const { host, port, user, password } = new pg.Client({ connectionString: url });
  return { host, port, user: login?.user ?? user ?? '', password: login?.password ?? password ?? '', database, options: '' };
}

/** Returns how the database that `url` names is reached. */
export const serverConfig = (url: string): pg.ClientConfig =>
  configFor(url, new pg.Client({ connectionString: url }).database ?? 'postgres');

/** Runs one statement on a connection of its own. */
export async function runSql(config: pg.ClientConfig, text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(config);
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

/** Creates an empty database on the server at `url`, whatever the encoding of the server's own templates, and returns its name. */
export async function createDatabase(url: string): Promise<string> {
  const name = freshName();
  await runSql(serverConfig(url), `create database ${name} encoding 'UTF8' template template0`);
  return name;
}

/** Creates a copy of `template`, which takes a tenth of the time that its migrations take, and returns its name. */
export async function copyDatabase(url: string, template: string): Promise<string> {
  const name = freshName();
  await runSql(serverConfig(url), `create database ${name} template ${template}`);
  return name;
}

/** Creates a migrated database that others are copied from, and the program's role, where the server's user may do that. Returns its name. */
export async function createTemplate(url: string): Promise<string> {
  await makeAppRole(url);
  const name = await createDatabase(url);
  await migrate(() => configFor(url, name));
  return name;
}

/** Drops a database, even while clients are connected to it. */
export const dropDatabase = async (url: string, name: string): Promise<void> => {
  await runSql(serverConfig(url), `drop database ${name} with (force)`);
};

const freshName = (): string => `distilog_test_${randomBytes(5).toString('hex')}`;

/** Creates the program's role and returns true, or false if the user may not create roles. Test files run concurrently: the second one finds the role. */
export async function makeAppRole(url: string): Promise<boolean> {
  const verbs = ['create role', 'alter role', 'alter role', 'alter role'];
  for (const verb of verbs) {
    try {
      await runSql(serverConfig(url), `${verb} distilog_app login password '${appPassword}'`);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === '42501') return false;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('role distilog_app could be neither created nor altered');
}
