import type pg from 'pg';
import { appendOnlyBy, ownsHistory, type AppendOnlyBy } from './append-only.ts';
import type { Connect } from './connect.ts';
import { onClient, whereabouts } from './connection.ts';
import { readMigrationState, type MigrationState } from './migrate.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { findSchemaDifferences } from './schema-differences.ts';
import { describeServer } from './server-faults.ts';

/** Facts about a store, read without changing or refusing it. */
export interface StoreFacts {
  /** Host and port, or socket, and database. */
  readonly place: string;
  readonly role: string;
  readonly serverVersion: string;
  readonly fsync: boolean;
  /** Whether the server is a standby, or the database or role is read-only by default. */
  readonly readOnly: boolean;
  /** Other connections of distilog to this database. */
  readonly connections: number;
  readonly schema: MigrationState;
  /** What protects history, or null if there is no log yet. */
  readonly appendOnlyBy: AppendOnlyBy | null;
  /**
   * Differences between the schema and the one that this version's migrations create, in words: `events.append_only is switched off`. Empty if the store has
   * the schema of another version, which is not compared.
   */
  readonly guardsOff: readonly string[];
}

/** Reads facts about a store. Throws `Fault`s if it cannot be reached, or only through a transaction pooler. */
export const inspectStore = (connect: Connect): Promise<StoreFacts> =>
  onClient(connect, 'distilog', async (client) => {
    await refuseTransactionPooler(client, connect);
    const server = await serverFacts(client);
    const schema = await readMigrationState(connect);
    const isThere = schema.applied.length > 0;
    return {
      ...server,
      place: describeServer(whereabouts(client)),
      schema,
      appendOnlyBy: isThere ? appendOnlyBy((await client.query<{ owns: boolean }>(ownsHistory)).rows[0]?.owns) : null,
      guardsOff:
        schema.applied.length > 0 && schema.pending.length === 0 && schema.newer === null ? await findSchemaDifferences(client) : [],
    };
  });

type ServerFacts = Pick<StoreFacts, 'role' | 'serverVersion' | 'fsync' | 'readOnly' | 'connections'>;

async function serverFacts(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts>(`
    select current_user as role, current_setting('server_version') as "serverVersion", current_setting('fsync') = 'on' as fsync,
           pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as "readOnly",
           (select count(*) from pg_stat_activity
             where datname = current_database() and application_name like 'distilog%' and pid <> pg_backend_pid()) as connections`);
  return rows[0] as ServerFacts;
}
