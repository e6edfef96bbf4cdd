import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fault, messageOf } from '../../kit/fault.ts';
import { closeFolder } from './closed-folder.ts';
import { passwordFiles, stopRequest, type Answer, type Connection, type Logins } from './connection.ts';
import { identityOf, openLog, readText, tailOf } from './files.ts';
import { busyExitCode, readMarker } from './marker.ts';
import { refusePlantedLink } from './planted-links.ts';
import { admitStore, requireTrusted, trustOf, trustStore, type Trust } from './trust.ts';

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

/** SQLite, whose lock is used, opens no longer paths than 512 bytes. */
const pathBytesMax = 480;
const openTimeoutMs = 60_000;
const pollMs = 25;
const respawnMs = 250;
const reacquireMs = 1_000;
/** How long processes that are about to leave may hold up a stop. */
const leavePatienceMs = 2_000;
const leavePollMs = 100;

export interface OpenOptions {
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
  const home = makeHome(folder, notify);
  let held = await acquire(home, timeoutMs);
  let isClosed = false;
  const watch = () => void held.socket.once('close', () => void find());
  // The supervisor died: another is found, or started.
  const find = async () => {
    while (!isClosed) {
      try {
        held = await acquire(home, timeoutMs);
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

/** A folder's server that is up. */
export interface EmbeddedStatus {
  /** Process id of its supervisor. */
  readonly supervisor: number;
  /** Processes of distilog that hold it, this one included. */
  readonly clients: number;
}

/** A folder's server, or null if none is up. Starts nothing. Throws `Fault('store-not-trusted')`. */
export async function embeddedStatus(folder: string): Promise<EmbeddedStatus | null> {
  const home = homeIn(folder);
  requireTrusted(home);
  const held = await dial(home, Date.now() + reacquireMs).catch(() => undefined);
  if (!held) return null;
  held.socket.destroy();
  // The asking is a connection, too.
  return { supervisor: held.supervisor, clients: held.clients - 1 };
}

/** How a folder's store stands with this user. Changes nothing. */
export const embeddedTrust = (folder: string): Trust => trustOf(homeIn(folder));

/** Records that this user trusts a folder's store, and whatever it holds. Throws `Fault('no-such-store')`, `Fault('state-unusable')`. Returns the store's folder. */
export function trustEmbeddedStore(folder: string): string {
  const named = homeIn(folder);
  // The store's own folder is named as often as the folder that it is in.
  const home = path.basename(path.dirname(named)) === path.basename(named) ? path.dirname(named) : named;
  trustStore(home);
  return home;
}

/** Who supervises a folder's server, or null if nobody does. */
export async function embeddedSupervisor(folder: string): Promise<number | null> {
  return (await embeddedStatus(folder))?.supervisor ?? null;
}

export interface StopOptions {
  readonly timeoutMs?: number | undefined;
  /** Stops it under the feet of processes that use it; they will start it again. */
  readonly force?: boolean | undefined;
}

/**
 * Stops a folder's server, and returns when it is gone: true, or false if there was none.
 * Throws `Fault('store-not-trusted')`, and `Fault('embedded-in-use')` while other processes of distilog hold it, unless forced.
 */
export async function stopEmbeddedStore(folder: string, { timeoutMs = openTimeoutMs, force = false }: StopOptions = {}): Promise<boolean> {
  const home = homeIn(folder);
  requireTrusted(home);
  const deadline = Date.now() + timeoutMs;
  for (const patience = Date.now() + leavePatienceMs; ; await sleep(leavePollMs)) {
    const held = await dial(home, deadline);
    if (!held) return false;
    const others = held.clients - 1;
    if (force || others === 0) {
      await endServer(held, home, deadline);
      return true;
    }
    held.socket.destroy();
    if (Date.now() < patience) continue;
    const whose = others === 1 ? 'Another process of distilog uses' : `${others} other processes of distilog use`;
    throw new Fault(
      'embedded-in-use',
      `${whose} the server in ${home}: end them first, or say --force; it stops by itself after the last.`,
      {
        details: { clients: others },
      },
    );
  }
}

/** Asks the supervisor, whose end is the connection's: a process id read from a file may be another process by now, or lie. */
async function endServer({ socket, supervisor }: Held, home: string, deadline: number): Promise<void> {
  const ended = once(socket, 'close', { signal: AbortSignal.timeout(Math.max(1, deadline - Date.now())) });
  socket.ref().write(stopRequest);
  try {
    await ended;
  } catch (error) {
    throw new Fault('embedded-failed', `The server in ${home} does not stop: end process ${supervisor}.`, { cause: error });
  } finally {
    socket.destroy();
  }
}

function homeIn(folder: string): string {
  try {
    return path.join(fs.realpathSync(folder), '.distilog');
  } catch (error) {
    throw new Fault('embedded-failed', `The folder ${folder} cannot be opened: ${messageOf(error)}.`, { cause: error });
  }
}

/** The store's folder, made if it is not there, and refused if another put it there. Other users have no access to it. */
function makeHome(folder: string, notify: (sentence: string) => void): string {
  const home = homeIn(folder);
  if (Buffer.byteLength(home) > pathBytesMax) {
    throw new Fault(
      'embedded-failed',
      `The path of ${home} is too long for an embedded store: work in a folder nearer to the root, or name a server with --store.`,
    );
  }
  refusePlantedLink(home);
  try {
    fs.mkdirSync(home, { recursive: true, mode: 0o700 });
    fs.accessSync(home, fs.constants.W_OK);
  } catch (error) {
    throw unwritable(home, error);
  }
  try {
    admitStore(home, notify);
  } catch (error) {
    removeEmpty(home);
    throw error;
  }
  closeFolder(home);
  return home;
}

function removeEmpty(home: string): void {
  try {
    fs.rmdirSync(home);
  } catch {
    // It is not empty.
  }
}

const unwritable = (file: string, error: unknown): Fault =>
  new Fault(
    'embedded-failed',
    `The store's ${file} cannot be written: ${messageOf(error)}. Work in another folder, or name a server with --store.`,
    { cause: error },
  );

interface Held {
  readonly app: Connection;
  readonly owner: Connection;
  readonly socket: net.Socket;
  readonly supervisor: number;
  /** Open connections to the supervisor, this one included. */
  readonly clients: number;
}

/** Connects to the folder's supervisor; where there is none, starts one. Of several started at once, the kernel's lock lets one through. */
async function acquire(home: string, timeoutMs: number): Promise<Held> {
  const deadline = Date.now() + timeoutMs;
  const log = path.join(home, 'supervisor.log');
  let child: ChildProcess | undefined;
  let nextSpawn = 0;
  for (;;) {
    const held = await dial(home, deadline);
    if (held) return held;
    if (child?.exitCode && child.exitCode !== busyExitCode) {
      throw new Fault('embedded-failed', `The embedded PostgreSQL in ${home} did not start.\n${tailOf(log)}`);
    }
    if (Date.now() > deadline) {
      const holder = readMarker(home);
      const who = holder ? `process ${holder.pid} on ${holder.place[0]} has it` : 'an unknown process has it';
      throw new Fault('embedded-failed', `The store in ${home} does not answer: ${who}. End that process, or name a server with --store.`);
    }
    const isStarting = child && child.exitCode === null && child.signalCode === null;
    if (Date.now() >= nextSpawn && !isStarting) {
      nextSpawn = Date.now() + respawnMs;
      child = spawnSupervisor(home, log);
    }
    await sleep(pollMs);
  }
}

function spawnSupervisor(home: string, log: string): ChildProcess {
  const extension = path.extname(fileURLToPath(import.meta.url));
  const program = fileURLToPath(new URL(`./supervise${extension}`, import.meta.url));
  const conditions = extension === '.ts' ? ['--conditions=distilog-source'] : [];
  const out = openOrRefuse(log);
  const child = spawn(process.execPath, ['--no-warnings', ...conditions, program, '--supervise', home], {
    detached: true,
    windowsHide: true,
    cwd: path.parse(home).root,
    stdio: ['ignore', out, out],
    // A debugger or coverage of this process is not the supervisor's.
    env: { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' },
  });
  child.unref();
  fs.closeSync(out);
  return child;
}

function openOrRefuse(log: string): number {
  try {
    return openLog(log);
  } catch (error) {
    throw unwritable(log, error);
  }
}

/** Connects to a supervisor's control socket and hears where the server is; the open socket is this process's reference to it. */
function dial(home: string, deadline: number): Promise<Held | undefined> {
  const marker = readMarker(home);
  // None, or it came along when the folder was copied.
  if (!marker || marker.identity !== identityOf(home)) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const socket = net.connect(path.resolve(home, marker.control)).setEncoding('utf8');
    let text = '';
    socket.setTimeout(Math.max(1, deadline - Date.now()), () => socket.destroy());
    socket
      .on('error', () => undefined)
      .once('close', () => resolve(undefined))
      .on('data', (chunk) => {
        text += String(chunk);
        // A server that was started again meanwhile is told of twice.
        const end = text.indexOf('\n');
        if (end < 0) return;
        const answer = JSON.parse(text.slice(0, end)) as Answer;
        if ('error' in answer) {
          reject(new Fault('embedded-failed', answer.error));
          return;
        }
        socket.setTimeout(0).removeAllListeners('data').resume().unref();
        const placed = (login: keyof Logins): Connection => ({
          ...answer[login],
          password: readText(path.join(home, passwordFiles[login])),
          host:
            path.isAbsolute(answer[login].host) || answer[login].host === loopback
              ? answer[login].host
              : path.resolve(home, answer[login].host),
        });
        resolve({ app: placed('app'), owner: placed('owner'), socket, supervisor: marker.pid, clients: answer.clients });
      });
  });
}

const loopback = '127.0.0.1';
