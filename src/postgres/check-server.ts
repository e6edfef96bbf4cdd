import type pg from 'pg';
import { Fault } from '../kit/fault.ts';
import { whereabouts } from './connection.ts';
import { describeServer } from './server-faults.ts';

/** Lowest supported `server_version_num`. */
const oldestServer = 150_000;

/**
 * Returns the server's version. Throws a `Fault` for a server that cannot serve as a store: too old, read-only, not durable, or not in UTF-8.
 */
export async function checkServer(client: pg.Client): Promise<{ readonly version: string }> {
  const place = describeServer(whereabouts(client));
  const { rows } = await client.query<{
    fsync: string;
    number: string;
    version: string;
    encoding: string;
    standby: boolean;
    readonly: string;
  }>(
    `select current_setting('fsync') as fsync, current_setting('server_version_num') as number, current_setting('server_version') as version,
            current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
            current_setting('default_transaction_read_only') as readonly`,
  );
  const [server] = rows;
  if (!server) throw new Fault('database-error', `PostgreSQL at ${place} returned no settings.`);
  if (Number(server.number) < oldestServer)
    throw new Fault(
      'server-too-old',
      `PostgreSQL at ${place} is version ${server.version}, and distilog needs 15 or newer. Name another server with --store.`,
    );
  if (server.fsync !== 'on') {
    throw new Fault(
      'fsync-off',
      `PostgreSQL at ${place} runs with fsync = off, so it may lose acknowledged writes. Switch fsync on, or name another store.`,
    );
  }
  if (server.encoding !== 'UTF8') {
    throw new Fault(
      'not-utf8',
      `The database at ${place} stores text as ${server.encoding}, which cannot store every row. Create a database with encoding 'UTF8', or name another.`,
    );
  }
  if (server.standby || server.readonly === 'on') {
    throw new Fault(
      'read-only',
      `PostgreSQL at ${place} is read-only${server.standby ? ' (a standby)' : ''}. Name a server that accepts writes.`,
    );
  }
  return { version: server.version };
}
