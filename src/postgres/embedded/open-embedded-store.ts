import { setTimeout as sleep } from 'node:timers/promises';
import { acquireSupervisor } from './acquire-supervisor.ts';
import type { Connection } from './connection.ts';
import { createHome } from './home.ts';

/** A folder's own PostgreSQL, shared by every distilog process that works there. */
export interface EmbeddedStore {
  /** The program's login (`distilog_app`). Ask again after a connection error: another supervisor may have taken over. */
  app(): Connection;
  /** The owner's login, for migrations and `db url --admin` only. */
  owner(): Connection;
  /** The store's folder, `.distilog`. */
  readonly home: string;
  /** Drops this process's reference; the server stops some seconds after the last. */
  close(): void;
}

const openTimeoutMs = 60_000;
const reacquireMs = 1_000;

interface OpenOptions {
  readonly timeoutMs?: number | undefined;
  /** Receives sentences that the user should read and that change nothing; without it, they are warnings of the process. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/**
 * Opens a folder's store, starting its server if no process has. Throws `Fault('embedded-failed')`, which says what is in the way,
 * `Fault('store-not-trusted')` for a store that this user did not make there, and `Fault('state-unusable')`.
 */
export async function openEmbeddedStore(
  folder: string,
  { timeoutMs = openTimeoutMs, notify = (sentence) => process.emitWarning(sentence) }: OpenOptions = {},
): Promise<EmbeddedStore> {
  const home = createHome(folder, notify);
  let held = await acquireSupervisor(home, timeoutMs);
  let isClosed = false;
  const watch = () => void held.socket.once('close', () => void reacquire());
  // Finds or starts another supervisor after one died.
  const reacquire = async () => {
    while (!isClosed) {
      try {
        held = await acquireSupervisor(home, timeoutMs);
        if (isClosed) held.socket.destroy();
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
    app: () => held.app,
    owner: () => held.owner,
    close: () => {
      isClosed = true;
      held.socket.destroy();
    },
  };
}
