import os from 'node:os';
import type pg from 'pg';
import { Fault } from '#kit/fault';
import { pause } from '#kit/pause';
import { userName } from '#kit/user-name';
import type { AppendRequest, AppendResult, DriverSession, OpenedDriver } from '#log';
import { checkServer, openClient, whereabouts, type Connect } from './connection.ts';
import { driverName, endHolder, holders, tryLock, waitForLock } from './driver-lock.ts';
import type { Reader } from './reader.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';
import { callAppend } from './statements.ts';

/** How long a lock that is seized may take to become free, and the pause between attempts at ending its holder. */
const seizeTimeoutMs = 15_000;
const seizePauseMs = 20;
/** How long one append may take on the server, and until its outcome counts as unknown. */
const statementTimeoutMs = 45_000;
const appendTimeoutMs = 60_000;

/** Opens a connection of its own for a run's driver, and takes the run's lock on it: from its holder, if `seize`. */
export async function openDriverSession(connect: Connect, reader: Reader, runId: string, seize: boolean): Promise<OpenedDriver> {
  const client = await openClient(connect, driverName(userName(), os.hostname(), process.pid));
  try {
    await checkServer(client);
    while (!(await tryLock(client, runId))) {
      if (seize) {
        await seizeLock(client, reader, runId);
        break;
      }
      const holder = (await reader.query((database) => holders(database, [runId]))).get(runId);
      // Without one, the lock became free between two looks: it is there for the taking.
      if (!holder) continue;
      await client.end();
      return { ok: false, code: 'driven', holder };
    }
    await client.query(`set statement_timeout = ${statementTimeoutMs}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw serverFault(error, whereabouts(client));
  }
  return { ok: true, session: sessionOn(client, runId) };
}

/**
 * Waits for the lock in the server's queue, and ends its holder meanwhile: a driver that is alive comes straight back for its lock, and must not find
 * it free between its end and our turn.
 */
async function seizeLock(client: pg.Client, reader: Reader, runId: string): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = rows[0]?.pid ?? 0;
  let isWaiting = true;
  const taken = waitForLock(client, runId, seizeTimeoutMs).finally(() => {
    isWaiting = false;
  });
  taken.catch(() => undefined);
  while (isWaiting) {
    await reader.query((database) => endHolder(database, runId, backend));
    await Promise.race([taken, pause(seizePauseMs)]);
  }
  if (await taken) return;
  throw new Fault('not-seized', `The lock of run ${runId} does not become free: the connection of the process that drives it holds on.`);
}

function sessionOn(client: pg.Client, runId: string): DriverSession {
  const call = async (name: 'append' | 'take_over', request: AppendRequest): Promise<AppendResult> => {
    try {
      return await inTime(callAppend(client, name, request));
    } catch (error) {
      throw isConnectionLost(error)
        ? new Fault('connection-lost', `The connection that drives run ${runId} broke.`, { cause: error })
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

/** A half-open connection never answers: after a while its silence counts as loss. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Fault('connection-lost', `No answer for ${appendTimeoutMs} ms.`)), appendTimeoutMs);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
