import type pg from 'pg';
import { appendOnlyBy, ownsHistory, type AppendOnlyBy } from './append-only.ts';
import type { Connect } from './connect.ts';
import { onClient, whereabouts } from './connection.ts';
import { migrationState, type MigrationState } from './migrate.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { schemaDifferences } from './schema-differences.ts';
import { describe } from './server-faults.ts';

/** What a store is, looked at without changing or refusing it. */
export interface StoreFacts {
  /** Host and port, or socket, and database. */
  readonly place: string;
  readonly role: string;
  readonly serverVersion: string;
  readonly fsync: boolean;
  /** A standby, or a database or role whose default is to write nothing. */
  readonly readOnly: boolean;
  /** Connections of distilog to this database, this one left out. */
  readonly connections: number;
  readonly schema: MigrationState;
  /** Null: there is no log yet. */
  readonly appendOnlyBy: AppendOnlyBy | null;
  /**
   * What of the schema is not as this version's migrations make it, each in words: `events.append_only is switched off`. Empty where the store has another
   * version's schema, which is not compared.
   */
  readonly guardsOff: readonly string[];
}

/** Looks at a store. Throws `Fault`s where it cannot be reached, or is reached through a transaction pooler. */
export const inspectStore = (connect: Connect): Promise<StoreFacts> =>
  onClient(connect, 'distilog', async (client) => {
    await refuseTransactionPooler(client, connect);
    const server = await serverFacts(client);
    const schema = await migrationState(connect);
    const isThere = schema.applied.length > 0;
    return {
      ...server,
      place: describe(whereabouts(client)),
      schema,
      appendOnlyBy: isThere ? appendOnlyBy((await client.query<{ owns: boolean }>(ownsHistory)).rows[0]?.owns) : null,
      guardsOff: schema.applied.length > 0 && schema.pending.length === 0 && schema.newer === null ? await schemaDifferences(client) : [],
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
