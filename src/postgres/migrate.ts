import { readdirSync, readFileSync } from 'node:fs';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import pg from 'pg';
import { Fault } from '../kit/fault.ts';
import type { Connect } from './connect.ts';
import { clientConfig, onClient, openPool, unreachable, whereabouts } from './connection.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { describe, serverFault } from './server-faults.ts';
import { refuseMissingStandby } from './standby.ts';
import { meaningSettings } from './session-settings.ts';

const folder = new URL('../../schema/migrations/', import.meta.url);
const schema = 'distilog';
const migrationTable = 'migrations';

/** A migration: its number and name, and its SQL. */
export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
}

/** All migrations of this version, in order. */
export const migrationFiles = (): readonly MigrationFile[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ name: file.replace('.sql', ''), sql: readFileSync(new URL(file, folder), 'utf8') }));

/** Which migrations a store has and lacks, by name. */
export interface MigrationState {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** One that only a newer version of distilog knows, or null. */
  readonly newer: string | null;
}

/** What of this version's schema a store has. Refuses nothing. */
export const migrationState = (connect: Connect): Promise<MigrationState> =>
  withDatabase(connect, async (database) => {
    const applied = await appliedMigrations(database);
    const names = migrationFiles().map(({ name }) => name);
    return {
      applied,
      pending: names.filter((name) => !applied.includes(name)),
      newer: applied.find((name) => !names.includes(name)) ?? null,
    };
  });

/** Migrations that a store lacks. Throws `Fault('schema-too-new')` if a newer version of distilog was there. */
export const pendingMigrations = (connect: Connect): Promise<readonly MigrationFile[]> =>
  migrationState(connect).then(({ pending, newer }) => {
    if (newer !== null) {
      throw new Fault(
        'schema-too-new',
        `The store was migrated by a newer version of distilog (${newer}): update distilog, or name another store.`,
      );
    }
    return migrationFiles().filter(({ name }) => pending.includes(name));
  });

/** Brings a store to this version's schema, as the role that connects. Does nothing the second time; two at once wait for each other. Returns what it applied. */
export async function migrate(connect: Connect): Promise<readonly string[]> {
  const pending = await pendingMigrations(connect);
  return withDatabase(connect, async (database) => {
    if (pending.length === 0) {
      // The migrator's lock is left alone: a process that is stopped while it holds that would hold up every other one.
      await admitLateRole(database);
      return [];
    }
    await onClient(connect, 'distilog migrate', (client) => refuseMissingStandby(client, whereabouts(client)));
    const migrator = new Migrator({
      db: database,
      migrationTableSchema: schema,
      migrationTableName: migrationTable,
      migrationLockTableName: 'migration_lock',
      provider: { getMigrations: async () => Object.fromEntries(migrationFiles().map(({ name, sql: text }) => [name, migrationOf(text)])) },
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    await admitLateRole(database);
    return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
  });
}

/** Refuses a store whose schema is not this version's. */
export async function requireMigrated(connect: Connect): Promise<void> {
  const pending = await pendingMigrations(connect);
  if (pending.length === 0) return;
  const place = describe(whereabouts(new pg.Client(connect())));
  throw new Fault(
    'not-migrated',
    `The store at ${place} is not set up for this version of distilog: run distilog db migrate once (--dry-run shows the SQL).`,
    {
      details: { pending: pending.map(({ name }) => name).join(', ') },
    },
  );
}

const migrationOf = (text: string): Migration => ({
  up: async (database: Kysely<unknown>) => {
    await sql.raw(text).execute(database);
  },
});

/** The program's own role may have been made after the schema. Granting what is granted would only make two migrators collide. */
async function admitLateRole(database: Kysely<unknown>): Promise<void> {
  await sql`select distilog.admit(rolname) from pg_roles
    where rolname = 'distilog_app' and not has_schema_privilege(rolname, 'distilog', 'usage')`.execute(database);
}

async function appliedMigrations(database: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('distilog.migrations') is not null as there`.execute(database);
  if (!rows[0]?.there) return [];
  const applied = await sql<{ name: string }>`select name from distilog.migrations order by name`.execute(database);
  return applied.rows.map(({ name }) => name);
}

async function withDatabase<T>(connect: Connect, work: (database: Kysely<unknown>) => Promise<T>): Promise<T> {
  const config = clientConfig(connect, 'distilog migrate');
  const pool = openPool({ ...config, max: 2 });
  // What a migration makes must not depend on the server's settings, either. Queued before the first statement, on the same connection.
  pool.on('connect', (client) => void client.query(meaningSettings).catch(() => undefined));
  const database = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const client = await pool.connect();
    await refuseTransactionPooler(client, connect).finally(() => client.release());
    return await work(database);
  } catch (error) {
    throw unreachable(serverFault(error, whereabouts(new pg.Client(config))));
  } finally {
    await database.destroy();
  }
}
