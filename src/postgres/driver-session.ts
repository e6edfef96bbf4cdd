import os from 'node:os';
import type pg from 'pg';
import { Fault } from '#kit/fault';
import { pause } from '#kit/pause';
import { userName } from '#kit/user-name';
import type { AppendRequest, AppendResult, DriverSession, Holder, OpenedDriver } from '#log';
import { checkServer, openClient, whereabouts, type Connect } from './connection.ts';
import { driverName, endHolder, tryLock } from './driver-lock.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';
import { callAppend } from './statements.ts';

/** How long a lock that was seized may take to become free. */
const seizeTimeoutMs = 15_000;
const seizePauseMs = 50;
/** How long one append may take before its outcome counts as unknown. */
const appendTimeoutMs = 60_000;

/** Opens a connection of its own for a run's driver, and takes the run's lock on it. `holder` tells who has it otherwise. */
export async function openDriverSession(
  connect: Connect,
  runId: string,
  { seize, holder }: { readonly seize: boolean; readonly holder: () => Promise<Holder | null> },
): Promise<OpenedDriver> {
  const client = await openClient(connect, driverName(userName(), os.hostname(), process.pid));
  try {
    await checkServer(client);
    const giveUpAt = Date.now() + seizeTimeoutMs;
    while (!(await tryLock(client, runId))) {
      if (!seize) {
        const held = await holder();
        // Free again by the time somebody looked: then it is there for the taking.
        if (!held) continue;
        await client.end();
        return { ok: false, code: 'driven', holder: held };
      }
      await endHolder(client, runId);
      if (Date.now() > giveUpAt)
        throw new Fault('not-seized', `The process that drives run ${runId} could not be ended: its connection holds on.`);
      await pause(seizePauseMs);
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw serverFault(error, whereabouts(client));
  }
  return { ok: true, session: sessionOn(client, runId) };
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
