import os from 'node:os';
import type pg from 'pg';
import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { pause } from '../kit/pause.ts';
import { userName } from '../kit/user-name.ts';
import type { AppendResult, DriverAppendRequest, DriverSession, Holder, OpenDriverOptions, OpenedDriver } from '../log/index.ts';
import { checkServer } from './check-server.ts';
import type { Connect } from './connect.ts';
import { openClient, whereabouts } from './connection.ts';
import { driverName, endHolder, holders, tryLock, waitForLock } from './driver-lock.ts';
import { isAlive } from './embedded/processes.ts';
import { explainHeldHead } from './head-holder.ts';
import type { Reader } from './reader.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';
import { refuseMissingStandby } from './standby.ts';
import { callAppend } from './statements.ts';

/** Longest wait for a seized lock to become free, and the pause between attempts to end its holder. */
const seizeTimeoutMs = 15_000;
const seizePauseMs = 20;

/** Longest time for the server to notice that a driver on this machine has died. It may still be processing the driver's last statement. */
const deadDriverMs = 10_000;

/** A server process, distinguished from a later one with the same id. */
interface Backend {
  readonly pid: number;
  readonly since: string;
}

/** Server backends per session: its own and those opened to replace it. */
const backends = new WeakMap<DriverSession, Backend[]>();

/** Opens a separate connection for a run's driver and acquires the run's lock on it. */
export async function openDriverSession(
  connect: Connect,
  reader: Reader,
  runId: string,
  { seize = false, instead }: OpenDriverOptions,
): Promise<OpenedDriver> {
  const client = await openClient(connect, driverName(userName(), os.hostname(), process.pid));
  try {
    await checkServer(client);
    await refuseMissingStandby(client, whereabouts(client));
    const backend = await backendOf(client);
    const lost = (instead && backends.get(instead)) ?? [];
    await endBackends(client, lost);
    // If this connection breaks meanwhile, it may already hold the lock.
    lost.push(backend);
    const giveUpAt = Date.now() + deadDriverMs;
    while (!(await tryLock(client, runId))) {
      if (seize) {
        await seizeLock(client, reader, runId);
        break;
      }
      const holder = (await reader.query((database) => holders(database, [runId]))).get(runId);
      // Without a holder, the lock became free between the two queries and can be acquired.
      if (!holder) continue;
      if (isDead(holder) && Date.now() < giveUpAt) {
        await pause(seizePauseMs);
        continue;
      }
      await client.end();
      return { ok: false, code: 'driven', holder };
    }
    const session = createSession(client, runId);
    backends.set(session, [backend]);
    return { ok: true, session };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw serverFault(error, whereabouts(client));
  }
}

const isDead = ({ host, pid }: Holder): boolean => host === os.hostname() && !isAlive(pid);

async function backendOf(client: pg.Client): Promise<Backend> {
  const { rows } = await client.query<Backend>(
    'select pid, backend_start::text as since from pg_stat_activity where pid = pg_backend_pid()',
  );
  return rows[0] as Backend;
}

/** Ends backends of lost connections. If only this side knows of the loss, a proxy would keep the connection and its lock alive. */
async function endBackends(client: pg.Client, lost: readonly Backend[]): Promise<void> {
  for (const { pid, since } of lost) {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2', [pid, since]);
  }
}

/**
 * Waits for the lock in the server's queue and ends its holder meanwhile. A live driver immediately tries to get its lock back, and must not find it free
 * before it is granted to us.
 */
async function seizeLock(client: pg.Client, reader: Reader, runId: string): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = rows[0]?.pid ?? 0;
  let isWaiting = true;
  const acquisition = waitForLock(client, runId, seizeTimeoutMs).finally(() => {
    isWaiting = false;
  });
  acquisition.catch(() => undefined);
  while (isWaiting) {
    await reader.query((database) => endHolder(database, runId, backend));
    await Promise.race([acquisition, pause(seizePauseMs)]);
  }
  if (await acquisition) return;
  throw new Fault(
    'not-seized',
    `Run ${runId} cannot be taken over: the connection of its driver does not end, so its lock stays taken. Stop the process that drives the run.`,
  );
}

function createSession(client: pg.Client, runId: string): DriverSession {
  const call = async (name: 'append' | 'take_over', request: DriverAppendRequest): Promise<AppendResult> => {
    try {
      return await callAppend(client, name, request);
    } catch (error) {
      if (hasCode(error, '57014')) throw await explainHeldHead(client, error).catch(() => error);
      throw isConnectionLost(error)
        ? new Fault('connection-lost', `The connection that drives run ${runId} broke: ${messageOf(error)}.`, { cause: error })
        : error;
    }
  };
  return {
    runId,
    append: (request) => call('append', request),
    takeOver: (request) => call('take_over', request),
    close: () => client.end(),
  };
}
