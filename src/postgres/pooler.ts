import pg from 'pg';
import { codeOf, Fault } from '../kit/fault.ts';
import type { Connect } from './connect.ts';
import { clientConfig, whereabouts } from './connection.ts';
import { describe } from './server-faults.ts';

/** Looks at a pooler that hands its connections out in turn. */
const looksMax = 3;
/** How long a pool that has no connection left may keep the second one waiting. */
const waitMaxMs = 10_000;

/**
 * Refuses a connection through a pooler that gives each transaction another server connection (PgBouncer in transaction or statement mode). The driver's
 * lock, its settings and its prepared statements belong to a connection, so a run would end midway. A pooler in session mode passes.
 *
 * A server tells its process's number when a connection begins; a pooler tells a number of its own. Only then a second connection is opened: two connections
 * that stand at the same time never have the same server process, and neither ever gets another one, unless a pooler exchanges them.
 */
export async function refuseTransactionPooler(client: pg.ClientBase, connect: Connect): Promise<void> {
  const first = await processOf(client);
  if ((client as unknown as { readonly processID: number | null }).processID === first) return;
  const other = new pg.Client({ ...clientConfig(connect, 'distilog'), query_timeout: waitMaxMs });
  other.on('error', () => undefined);
  await other.connect();
  try {
    for (let looks = 0; looks < looksMax; looks++) {
      // A transaction keeps its server connection: the one that this client had, where a pooler lends it on.
      await other.query('begin').catch((error: unknown) => {
        // A pooler refuses it where it gives each statement another connection; without a code, it did not answer.
        throw codeOf(error) === undefined ? error : pooled(other, error);
      });
      const lent = await processOf(other);
      const during = await processOf(client);
      await other.query('rollback');
      // Now it may be the one that the other client gave back.
      const after = await processOf(client);
      if (lent === first || during !== first || after !== first) throw pooled(other);
    }
  } finally {
    await other.end().catch(() => undefined);
  }
}

async function processOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

const pooled = (client: pg.Client, cause?: unknown): Fault =>
  new Fault(
    'transaction-pooler',
    `${describe(whereabouts(client))} is a connection pooler in transaction mode (PgBouncer's pool_mode = transaction or statement), where a run would lose its lock and its settings. ` +
      'Name the server itself with --store, or a pool in session mode.',
    cause === undefined ? {} : { cause },
  );
