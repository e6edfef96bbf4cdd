import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../kit/fault.ts';
import { stopRequest } from './connection.ts';
import { dialSupervisor, type SupervisorConnection } from './dial-supervisor.ts';
import { homeIn } from './home.ts';
import { requireTrusted } from './trust.ts';

const stopTimeoutMs = 60_000;
/** Longest wait for processes that are about to disconnect. */
const leavePatienceMs = 2_000;
const leavePollMs = 100;

interface StopOptions {
  readonly timeoutMs?: number | undefined;
  /** Stops the server even if other processes use it, which then start it again. */
  readonly force?: boolean | undefined;
}

/**
 * Stops a folder's server and waits until it has stopped. Returns whether one was running. Throws `Fault('store-not-trusted')`, and
 * `Fault('embedded-in-use')` while other distilog processes use it, unless forced.
 */
export async function stopEmbeddedStore(folder: string, { timeoutMs = stopTimeoutMs, force = false }: StopOptions = {}): Promise<boolean> {
  const home = homeIn(folder);
  requireTrusted(home);
  const deadline = Date.now() + timeoutMs;
  for (const patience = Date.now() + leavePatienceMs; ; await sleep(leavePollMs)) {
    const connection = await dialSupervisor(home, deadline);
    if (!connection) return false;
    const others = connection.clients - 1;
    if (force || others === 0) {
      await endServer(connection, home, deadline);
      return true;
    }
    connection.socket.destroy();
    if (Date.now() < patience) continue;
    const users = others === 1 ? 'Another distilog process uses' : `${others} other distilog processes use`;
    throw new Fault(
      'embedded-in-use',
      `${users} the server in ${home}. End ${others === 1 ? 'it' : 'them'} first, or add --force. The server stops by itself after the last one.`,
      {
        details: { clients: others },
      },
    );
  }
}

/** Asks the supervisor to stop and waits for its connection to end. Does not use the process id in the marker, which may now belong to another process. */
async function endServer({ socket, supervisor }: SupervisorConnection, home: string, deadline: number): Promise<void> {
  const ended = once(socket, 'close', { signal: AbortSignal.timeout(Math.max(1, deadline - Date.now())) });
  socket.ref().write(stopRequest);
  try {
    await ended;
  } catch (error) {
    throw new Fault('embedded-failed', `The server in ${home} does not stop. End process ${supervisor}.`, { cause: error });
  } finally {
    socket.destroy();
  }
}
