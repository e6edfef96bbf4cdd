import type pg from 'pg';
import { Fault } from '../kit/fault.ts';
import { describeServer, type Whereabouts } from './server-faults.ts';

/**
 * Throws for a server that cannot acknowledge commits, because they wait for a synchronous standby and too few are connected. Such a commit is stored, holds
 * its locks, and returns only when the standby is back, possibly days later. Reading is not affected.
 */
export async function refuseMissingStandby(client: pg.ClientBase, where: Whereabouts): Promise<void> {
  const { rows } = await client.query<{ names: string; senders: number; connected: number }>(standbyQuery);
  const [server] = rows;
  if (!server) return;
  const { names, senders, connected } = server;
  const needed = neededStandbys(names);
  if (senders === 0 || connected >= needed) return;
  throw new Fault(
    'standby-away',
    `PostgreSQL at ${describeServer(where)} cannot acknowledge commits: it waits for ${needed === 1 ? 'a synchronous standby' : `${needed} synchronous standbys`} ` +
      `(synchronous_standby_names = '${names}'), and ${connected === 0 ? 'none' : `only ${connected}`} is connected and up to date. ` +
      'Start the standby, or ask an administrator to change the setting.',
    { details: { needed, connected } },
  );
}

/** Query for standbys. A role without the right to see their state sees only that they are connected, so these count as synchronous. */
const standbyQuery = `
  select current_setting('synchronous_standby_names') as names, current_setting('max_wal_senders')::int as senders,
         (select count(*)::int from pg_stat_replication where sync_state is null or sync_state in ('sync', 'quorum')) as connected`;

/** Returns the number of standbys that a commit waits for: `FIRST 2 (a, b)`, `ANY 1 (a, b)`, `2 (a, b)`, `a, b`, or none. */
function neededStandbys(names: string): number {
  if (names.trim() === '') return 0;
  return Number(/^\s*(?:(?:first|any)\s+)?(\d+)\s*\(/i.exec(names)?.[1] ?? 1);
}
