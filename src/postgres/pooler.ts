import pg from 'pg';
import { codeOf, Fault } from '../kit/fault.ts';
import type { Connect } from './connect.ts';
import { clientConfig, whereabouts } from './connection.ts';
import { describeServer } from './server-faults.ts';

/** Attempts to detect a pooler that hands out its connections in turn. */
const attemptsMax = 3;
/** Longest wait for a second connection from an exhausted pool. */
const waitMaxMs = 10_000;

/**
 * Throws for a connection through a pooler that gives each transaction another server connection (PgBouncer in transaction or statement mode). The driver's
 * lock, settings and prepared statements belong to one connection, so a run would fail midway. Accepts a pooler in session mode.
 *
 * A server sends its process id when a connection opens; a pooler sends an id of its own. Only if the ids differ is a second connection opened. Two
 * concurrent connections never have the same server process, and neither changes its process, unless a pooler exchanges them.
 */
export async function refuseTransactionPooler(client: pg.ClientBase, connect: Connect): Promise<void> {
  const first = await readProcessId(client);
  if ((client as unknown as { readonly processID: number | null }).processID === first) return;
  const other = new pg.Client({ ...clientConfig(connect, 'distilog'), query_timeout: waitMaxMs });
  other.on('error', () => undefined);
  await other.connect();
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      // A transaction keeps its server connection. A pooler would lend it the connection that the first client had.
      await other.query('begin').catch((error: unknown) => {
        // A pooler that gives each statement another connection refuses this. An error without a code means that it did not answer.
        throw codeOf(error) === undefined ? error : poolerFault(other, error);
      });
      const lent = await readProcessId(other);
      const during = await readProcessId(client);
      await other.query('rollback');
      // The process may now be the one that the other client returned.
      const after = await readProcessId(client);
      if (lent === first || during !== first || after !== first) throw poolerFault(other);
    }
  } finally {
    await other.end().catch(() => undefined);
  }
}

async function readProcessId(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

const poolerFault = (client: pg.Client, cause?: unknown): Fault =>
  new Fault(
    'transaction-pooler',
    `${describeServer(whereabouts(client))} is a connection pooler in transaction mode (PgBouncer's pool_mode = transaction or statement), in which a run would lose its lock and its settings. ` +
      'Name the server itself with --store, or a pool in session mode.',
    cause === undefined ? {} : { cause },
  );
