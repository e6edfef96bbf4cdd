import { sql } from 'kysely';
import type { Store } from '#log';
import { postgresChunks } from './chunk-store.ts';
import { checkServer, openClient, type Connect } from './connection.ts';
import { postgresLog } from './event-log.ts';
import { requireMigrated } from './migrate.ts';
import { openReader } from './reader.ts';
import { postgresSnapshots } from './snapshot-store.ts';

export interface PostgresStore extends Store {
  /** `roles`: the program's role may not change history at all. `trigger`: it owns the tables, so only triggers stand against it. */
  readonly appendOnlyBy: 'roles' | 'trigger';
  /** Such as `18.4`. */
  readonly serverVersion: string;
}

/**
 * A store on a PostgreSQL server that is migrated. `connect` is asked anew for each connection. Throws `Fault`s: `connection-lost`, `wrong-password`,
 * `server-too-old`, `fsync-off`, `read-only`, `not-migrated`, `schema-too-new`.
 */
export async function openPostgresStore(connect: Connect): Promise<PostgresStore> {
  const client = await openClient(connect, 'distilog');
  let version: string;
  try {
    ({ version } = await checkServer(client));
  } finally {
    await client.end();
  }
  await requireMigrated(connect);
  const reader = openReader(connect);
  const isOwner = await reader.query(async (database) => {
    const { rows } = await sql<{ owns: boolean }>`
      select pg_has_role(current_user, c.relowner, 'usage') as owns from pg_class c where c.oid = 'distilog.events'::regclass`.execute(
      database,
    );
    return rows[0]?.owns ?? true;
  });
  return {
    log: postgresLog(connect, reader),
    chunks: postgresChunks(reader),
    snapshots: postgresSnapshots(reader),
    appendOnlyBy: isOwner ? 'trigger' : 'roles',
    serverVersion: version,
    close: () => reader.close(),
  };
}
