import { readdirSync, readFileSync } from 'node:fs';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import pg from 'pg';
import { Fault } from '../kit/fault.ts';
import type { Connect } from './connect.ts';
import { clientConfig, onClient, openPool, unreachableFault, whereabouts } from './connection.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { describeServer, serverFault } from './server-faults.ts';
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

/** Returns all migrations of this version, in order. */
export const migrationFiles = (): readonly MigrationFile[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ name: file.replace('.sql', ''), sql: readFileSync(new URL(file, folder), 'utf8') }));

/** The migrations that a store has and lacks, by name. */
export interface MigrationState {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** A migration that only a newer version of distilog knows, or null. */
  readonly newer: string | null;
}

/** Returns the migrations that a store has and lacks. Refuses no store. */
export const readMigrationState = (connect: Connect): Promise<MigrationState> =>
  withDatabase(connect, async (database) => {
    const applied = await readAppliedMigrations(database);
    const names = migrationFiles().map(({ name }) => name);
    return {
      applied,
      pending: names.filter((name) => !applied.includes(name)),
      newer: applied.find((name) => !names.includes(name)) ?? null,
    };
  });

/** Returns the migrations that a store lacks. Throws `Fault('schema-too-new')` if a newer version of distilog migrated it. */
export const pendingMigrations = (connect: Connect): Promise<readonly MigrationFile[]> =>
  readMigrationState(connect).then(({ pending, newer }) => {
    if (newer !== null) {
      throw new Fault(
        'schema-too-new',
        `The store was migrated by a newer version of distilog (${newer}). Update distilog, or name another store.`,
      );
    }
    return migrationFiles().filter(({ name }) => pending.includes(name));
  });

/** Migrates a store to this version's schema, as the role that connects, and returns the applied migrations. Idempotent. Concurrent calls wait for each other. */
export async function migrate(connect: Connect): Promise<readonly string[]> {
  const pending = await pendingMigrations(connect);
  return withDatabase(connect, async (database) => {
    if (pending.length === 0) {
      // Does not use the migrator's own lock, because a process that is suspended while it holds that lock would block all others.
      await admitLateRole(database);
      return [];
    }
    await onClient(connect, 'distilog migrate', (client) => refuseMissingStandby(client, whereabouts(client)));
    const migrator = new Migrator({
      db: database,
      migrationTableSchema: schema,
      migrationTableName: migrationTable,
      migrationLockTableName: 'migration_lock',
      provider: { getMigrations: async () => Object.fromEntries(migrationFiles().map(({ name, sql: text }) => [name, toMigration(text)])) },
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    await admitLateRole(database);
    return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
  });
}

/** Throws for a store that does not have this version's schema. */
export async function requireMigrated(connect: Connect): Promise<void> {
  const pending = await pendingMigrations(connect);
  if (pending.length === 0) return;
  const place = describeServer(whereabouts(new pg.Client(connect())));
  throw new Fault(
    'not-migrated',
    `The store at ${place} is not set up for this version of distilog. Run once: distilog db migrate (--dry-run prints the SQL)`,
    {
      details: { pending: pending.map(({ name }) => name).join(', ') },
    },
  );
}

const toMigration = (text: string): Migration => ({
  up: async (database: Kysely<unknown>) => {
    await sql.raw(text).execute(database);
  },
});

/** Admits the program's own role if it was created after the schema. Does nothing for an admitted role, because repeated grants would make migrators collide. */
async function admitLateRole(database: Kysely<unknown>): Promise<void> {
  await sql`select distilog.admit(rolname) from pg_roles
    where rolname = 'distilog_app' and not has_schema_privilege(rolname, 'distilog', 'usage')`.execute(database);
}

async function readAppliedMigrations(database: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('distilog.migrations') is not null as there`.execute(database);
  if (!rows[0]?.there) return [];
  const applied = await sql<{ name: string }>`select name from distilog.migrations order by name`.execute(database);
  return applied.rows.map(({ name }) => name);
}

async function withDatabase<T>(connect: Connect, work: (database: Kysely<unknown>) => Promise<T>): Promise<T> {
  const config = clientConfig(connect, 'distilog migrate');
  const pool = openPool({ ...config, max: 2 });
  // The result of a migration must not depend on the server's settings, either. Queued before the first statement, on the same connection.
  pool.on('connect', (client) => void client.query(meaningSettings).catch(() => undefined));
  const database = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const client = await pool.connect();
    await refuseTransactionPooler(client, connect).finally(() => client.release());
    return await work(database);
  } catch (error) {
    throw unreachableFault(serverFault(error, whereabouts(new pg.Client(config))));
  } finally {
    await database.destroy();
  }
}
