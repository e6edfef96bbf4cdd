import { setTimeout as sleep } from 'node:timers/promises';
import { acquireSupervisor } from './acquire-supervisor.ts';
import type { Connection } from './connection.ts';
import { createHome } from './home.ts';

/** A folder's own PostgreSQL, shared by all distilog processes that use the folder. */
export interface EmbeddedStore {
  /** Returns the program's login (`distilog_app`). Call again after a connection error, because another supervisor may have taken over. */
  app(): Connection;
  /** Returns the owner's login, for migrations and `db url --admin` only. */
  owner(): Connection;
  /** The store's folder, `.distilog`. */
  readonly home: string;
  /** Drops this process's reference. The server stops some seconds after the last reference is dropped. */
  close(): void;
}

const openTimeoutMs = 60_000;
const reacquireMs = 1_000;

interface OpenOptions {
  readonly timeoutMs?: number | undefined;
  /** Receives notes for the user. Default: `process.emitWarning`. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/**
 * Opens a folder's store and starts its server unless it is running. Throws `Fault('embedded-failed')` with the cause, `Fault('store-not-trusted')` for a
 * store that this user did not make there, and `Fault('state-unusable')`.
 */
export async function openEmbeddedStore(
  folder: string,
  { timeoutMs = openTimeoutMs, notify = (sentence) => process.emitWarning(sentence) }: OpenOptions = {},
): Promise<EmbeddedStore> {
  const home = createHome(folder, notify);
  let connection = await acquireSupervisor(home, timeoutMs);
  let isClosed = false;
  const watch = () => void connection.socket.once('close', () => void reacquire());
  // Connects to another supervisor, or starts one, after this one died.
  const reacquire = async () => {
    while (!isClosed) {
      try {
        connection = await acquireSupervisor(home, timeoutMs);
        if (isClosed) connection.socket.destroy();
        else watch();
        return;
      } catch {
        await sleep(reacquireMs, undefined, { ref: false });
      }
    }
  };
  watch();
  return {
    home,
    app: () => connection.app,
    owner: () => connection.owner,
    close: () => {
      isClosed = true;
      connection.socket.destroy();
    },
  };
}
