import type pg from 'pg';
import { Fault } from '../kit/fault.ts';

// A driver holds the head for one append only. Sessions that wait themselves are excluded, because another session blocks them.
/** Returns the fault of an append that timed out waiting for its log's head. It names the session that holds the head, if the server shows it. */
export async function explainHeldHead(client: pg.ClientBase, cause: unknown): Promise<Fault> {
  const { rows } = await client.query<{ pid: number; name: string; role: string }>(`
    select a.pid, a.application_name as name, a.usename as role from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.relation = 'distilog.heads'::regclass and l.mode in ('RowShareLock', 'RowExclusiveLock') and a.pid <> pg_backend_pid()
       and a.application_name not like 'distilog driver%' and not exists (select from pg_locks w where w.pid = l.pid and not w.granted)
     order by a.xact_start limit 1`);
  const [holder] = rows;
  const holderName = holder
    ? `process ${holder.pid} of the server (${holder.name || 'a client without a name'}, role ${holder.role})`
    : 'an unknown session';
  const advice = holder ? ` Commit it, or end it with: select pg_terminate_backend(${holder.pid})` : '';
  return new Fault('head-held', `An append waits for a transaction that ${holderName} keeps open.${advice}`, { cause });
}
