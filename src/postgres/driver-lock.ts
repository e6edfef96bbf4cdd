import type pg from 'pg';
import type { Holder } from '#log';
import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** The key of a run's advisory lock, as SQL. */
const lockKey = (run: string): string => `hashtextextended('distilog driver ' || ${run}, 0)`;

/** A driver's name among the server's sessions. The host comes last: PostgreSQL cuts names at 63 bytes. */
export const driverName = (user: string, host: string, pid: number): string => `distilog driver ${pid} ${user}@${host}`;

/** Takes a run's lock for the length of this connection. Returns whether it was free. */
export async function tryLock(client: pg.ClientBase, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`select pg_try_advisory_lock(${lockKey('$1')}) as locked`, [runId]);
  return rows[0]?.locked ?? false;
}

/** Ends the connection that holds a run's lock. Returns whether there was one that could be ended. */
export async function endHolder(client: pg.ClientBase, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ ended: boolean }>(
    `select pg_terminate_backend(l.pid) as ended from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database())
        and l.classid::bigint = (${lockKey('$1')} >> 32) & 4294967295 and l.objid::bigint = ${lockKey('$1')} & 4294967295`,
    [runId],
  );
  return rows.some(({ ended }) => ended);
}

/** Who drives which of these runs now. */
export async function holders(database: Kysely<Database>, runIds: readonly string[]): Promise<ReadonlyMap<string, Holder>> {
  if (runIds.length === 0) return new Map();
  const { rows } = await sql<{ run: string; name: string; since: string; backend: number }>`
    select r.run, a.application_name as name, a.backend_start as since, a.pid as backend
      from unnest(${runIds}::text[]) as r (run)
      join pg_locks l on l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select oid from pg_database where datname = current_database())
       and l.classid::bigint = (hashtextextended('distilog driver ' || r.run, 0) >> 32) & 4294967295
       and l.objid::bigint = hashtextextended('distilog driver ' || r.run, 0) & 4294967295
      join pg_stat_activity a on a.pid = l.pid`.execute(database);
  return new Map(rows.map(({ run, name, since, backend }) => [run, holderOf(name, since, backend)]));
}

function holderOf(name: string, since: string, backend: number): Holder {
  const [, pid, user, host] = /^distilog driver (\d+) ([^@]*)@(.*)$/.exec(name) ?? [];
  return { user: user ?? 'somebody', host: host ?? 'unknown host', pid: pid ? Number(pid) : backend, since };
}
