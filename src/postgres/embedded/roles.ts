import pg from 'pg';
import { appRole, databaseName, ownerRole, type Connection } from './connection.ts';

/**
 * Creates the program's own role and the database if they are missing. Runs at each start, so it completes a start that was killed midway. The role cannot
 * change history: migrations grant it what it needs.
 */
export async function ensureRoles(owner: Connection, appPassword: string): Promise<void> {
  const client = new pg.Client({ ...owner, database: 'postgres', connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ has_role: boolean; has_database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as has_role, exists (select from pg_database where datname = $2) as has_database`,
      [appRole, databaseName],
    );
    // The server must never write a password to its log, whatever fails and whatever its logging settings are.
    await client.query(`set log_statement = 'none'; set log_min_duration_statement = -1; set log_min_error_statement = 'panic'`);
    const [there] = rows;
    const verb = there?.has_role ? 'alter' : 'create';
    await client.query(
      `${verb} role ${appRole} login nosuperuser nocreatedb nocreaterole noinherit password ${pg.escapeLiteral(appPassword)}`,
    );
    if (!there?.has_database) await client.query(`create database ${databaseName} owner ${ownerRole}`);
  } finally {
    await client.end();
  }
}

/** Returns whether a client other than distilog is connected, such as psql. Returns false if the server does not answer. */
export async function hasOtherClients(owner: Connection): Promise<boolean> {
  const client = new pg.Client({ ...owner, database: 'postgres', connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query(
      `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    return (rowCount ?? 0) > 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
