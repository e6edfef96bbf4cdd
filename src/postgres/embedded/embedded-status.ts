import { dialSupervisor } from './dial-supervisor.ts';
import { homeIn } from './home.ts';
import { requireTrusted } from './trust.ts';

const answerMs = 1_000;

/** The running server of a folder. */
export interface EmbeddedStatus {
  /** Process id of its supervisor. */
  readonly supervisor: number;
  /** distilog processes that use the server, including this one. */
  readonly clients: number;
}

/** Returns the server of a folder, or null if none is up. Starts nothing. Throws `Fault('store-not-trusted')`. */
export async function embeddedStatus(folder: string): Promise<EmbeddedStatus | null> {
  const home = homeIn(folder);
  requireTrusted(home);
  const connection = await dialSupervisor(home, Date.now() + answerMs).catch(() => undefined);
  if (!connection) return null;
  connection.socket.destroy();
  // This call's own connection does not count.
  return { supervisor: connection.supervisor, clients: connection.clients - 1 };
}

/** Returns the process id of a folder's supervisor, or null if there is none. */
export async function embeddedSupervisor(folder: string): Promise<number | null> {
  return (await embeddedStatus(folder))?.supervisor ?? null;
}
