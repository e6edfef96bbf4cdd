import { sql } from 'kysely';
import type { Store } from '../log/index.ts';
import { appendOnlyBy, ownsHistory, type AppendOnlyBy } from './append-only.ts';
import { postgresChunks } from './chunk-store.ts';
import { checkServer } from './check-server.ts';
import type { Connect } from './connect.ts';
import { onClient } from './connection.ts';
import { postgresLog } from './event-log.ts';
import { requireMigrated } from './migrate.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { openReader } from './reader.ts';
import { postgresSnapshots } from './snapshot-store.ts';

export interface PostgresStore extends Store {
  readonly appendOnlyBy: AppendOnlyBy;
  /** The server's version, such as `18.4`. */
  readonly serverVersion: string;
}

/**
 * Opens a store on a migrated PostgreSQL server. `connect` is called for each connection. Throws `Fault`s: `store-unreachable`, `connection-lost`,
 * `wrong-password`, `transaction-pooler`, `server-too-old`, `fsync-off`, `read-only`, `not-migrated`, `schema-too-new`.
 */
export async function openPostgresStore(connect: Connect): Promise<PostgresStore> {
  const { version } = await onClient(connect, 'distilog', async (client) => {
    await refuseTransactionPooler(client, connect);
    return checkServer(client);
  });
  await requireMigrated(connect);
  const reader = openReader(connect);
  const owns = await reader.query(async (database) => {
    const { rows } = await sql.raw<{ owns: boolean }>(ownsHistory).execute(database);
    return rows[0]?.owns;
  });
  return {
    log: postgresLog(connect, reader),
    chunks: postgresChunks(reader),
    snapshots: postgresSnapshots(reader),
    appendOnlyBy: appendOnlyBy(owns),
    serverVersion: version,
    close: () => reader.close(),
  };
}
