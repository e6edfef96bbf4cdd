import type pg from 'pg';
import type { Holder } from '../log/index.ts';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { Fault, hasCode } from '../kit/fault.ts';
import type { Database } from './database.ts';

/** Returns the key of a run's advisory lock, as SQL. */
const lockKey = (run: string): string => `hashtextextended('distilog driver ' || ${run}, 0)`;

/** Returns the application name of a driver's session. The host comes last, because PostgreSQL cuts names at 63 bytes. */
export const driverName = (user: string, host: string, pid: number): string => `distilog driver ${pid} ${user}@${host}`;

/** Acquires a run's lock until this connection ends. Returns whether it was free. */
export async function tryLock(client: pg.ClientBase, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`select pg_try_advisory_lock(${lockKey('$1')}) as locked`, [runId]);
  return rows[0]?.locked ?? false;
}

/** Waits for a run's lock in the server's queue. Returns whether it was acquired in time. */
export async function waitForLock(client: pg.ClientBase, runId: string, timeoutMs: number): Promise<boolean> {
  await client.query(`set lock_timeout = ${timeoutMs}`);
  try {
    await client.query(`select pg_advisory_lock(${lockKey('$1')})`, [runId]);
  } catch (error) {
    if (hasCode(error, '55P03')) return false;
    throw error;
  }
  await client.query('set lock_timeout = 0');
  return true;
}

/** Ends the connection that holds a run's lock when backend `next` waits for it in the server's queue. Ended sooner, another process might acquire it. */
export async function endHolder(database: Kysely<Database>, runId: string, next: number): Promise<void> {
  try {
    await terminate(database, runId, next);
  } catch (error) {
    if (!hasCode(error, '42501')) throw error;
    throw new Fault(
      'not-allowed',
      `Run ${runId} cannot be taken over: its driver is logged in as another role, and your role may not end its connections. Log in as that role, ask an administrator to grant your role pg_signal_backend, or stop the process that drives the run.`,
      { cause: error, details: { run: runId } },
    );
  }
}

async function terminate(database: Kysely<Database>, runId: string, next: number): Promise<void> {
  await sql`
    select pg_terminate_backend(l.pid) from pg_locks l
     where l.pid <> ${next} and ${isLockOf(sql`${runId}::text`)}
       and exists (select from pg_locks w where w.pid = ${next} and w.locktype = 'advisory' and not w.granted)`.execute(database);
}

/** Returns the current drivers of runs. A session of another role hides its age, so its first append of this epoch gives it. */
export async function holders(database: Kysely<Database>, runIds: readonly string[]): Promise<ReadonlyMap<string, Holder>> {
  if (runIds.length === 0) return new Map();
  const { rows } = await sql<{ run: string; name: string | null; since: string; backend: number }>`
    select r.run, a.application_name as name, coalesce(a.backend_start, epoch.since, now()) as since, a.pid as backend
      from unnest(${runIds}::text[]) as r (run)
      join pg_locks l on ${isLockOf(sql`r.run`)}
      join pg_stat_activity a on a.pid = l.pid
      left join lateral (
        select min(c.recorded_at) as since from distilog.heads h join distilog.commits c on c.log_id = h.log_id and c.epoch = h.epoch
         where h.log_id = r.run and a.backend_start is null) as epoch on true`.execute(database);
  return new Map(rows.map(({ run, name, since, backend }) => [run, holderOf(name, since, backend)]));
}

/** Returns a condition for whether `pg_locks l` is the granted lock of a run. The catalogue shows the key in two halves. */
const isLockOf = (run: RawBuilder<unknown>): RawBuilder<boolean> => {
  const key = sql`hashtextextended('distilog driver ' || ${run}, 0)`;
  return sql`l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid::bigint = (${key} >> 32) & 4294967295 and l.objid::bigint = ${key} & 4294967295`;
};

function holderOf(name: string | null, since: string, backend: number): Holder {
  const [, pid, user, host] = /^distilog driver (\d+) ([^@]*)@(.*)$/.exec(name ?? '') ?? [];
  return { user: user ?? 'unknown user', host: host ?? 'unknown host', pid: pid ? Number(pid) : backend, since };
}
