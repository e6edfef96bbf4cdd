import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readText } from './files.ts';
import { isLinux } from './processes.ts';

/** Contents of `server.json`: the process that supervises a folder's server, and its sockets. */
export interface Marker {
  readonly pid: number;
  /** Host, boot and process namespace. The kernel's lock and its process table are valid only within the same three. */
  readonly place: readonly string[];
  /** Identity of the folder. It shows whether the marker was copied along with a folder. */
  readonly identity: string;
  /** The control socket, relative to the folder or absolute. */
  readonly control: string;
  /** Folder of the server's socket if it is not in its data directory, else ''. */
  readonly run: string;
}

/** Exit code of a supervisor if another one holds the folder. */
export const busyExitCode = 3;

export const markerFile = (home: string): string => path.join(home, 'server.json');

/** Returns a folder's marker, or undefined. */
export function readMarker(home: string): Marker | undefined {
  try {
    return JSON.parse(readText(markerFile(home))) as Marker;
  } catch {
    return undefined;
  }
}

/** Returns this host, this boot and this process namespace. */
export const thisPlace = (): readonly string[] => [
  os.hostname(),
  readText('/proc/sys/kernel/random/boot_id').trim(),
  isLinux ? fs.readlinkSync('/proc/self/ns/pid') : '',
];

const containerIntervalMs = 1_500;
const hostIntervalMs = 4_000;
const answerPatienceMs = 15_000;

/**
 * Throws if a folder is in use in another container or on another host, where this host's lock does not work. Detects this by the socket's answers and the
 * marker's modification time.
 */
export async function refuseIfElsewhere(before: Marker, home: string, socket: string): Promise<void> {
  const [host, boot, processes] = thisPlace();
  const [hostBefore, bootBefore, processesBefore] = before.place;
  if (host === hostBefore && (boot !== bootBefore || processes === processesBefore)) return;
  const mark = markerFile(home);
  const modifiedMs = fs.statSync(mark).mtimeMs;
  await sleep(boot === bootBefore ? containerIntervalMs : hostIntervalMs);
  for (const until = Date.now() + answerPatienceMs; await answers(socket); await sleep(100)) {
    if (Date.now() > until) throw new Error(`The store in ${home} is in use in another container. Stop that one first: ${readText(mark)}`);
  }
  if (fs.existsSync(mark) && fs.statSync(mark).mtimeMs !== modifiedMs)
    throw new Error(`The store in ${home} is in use on another host. Stop it there first: ${readText(mark)}`);
}

const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = net.connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
