import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readText } from './files.ts';
import { isLinux } from './processes.ts';

/** `server.json`: which process supervises a folder's server, and where it listens. */
export interface Marker {
  readonly pid: number;
  /** Host, boot and process namespace: beyond these, neither the kernel's lock nor its process table tells anything. */
  readonly place: readonly string[];
  /** Of the folder: a marker that came along when a folder was copied is not this folder's. */
  readonly identity: string;
  /** The control socket, relative to the folder or absolute. */
  readonly control: string;
  /** Where the server's socket is, if not in its data directory; '' otherwise. */
  readonly run: string;
}

/** A supervisor's exit code when another one has the folder. */
export const busyExitCode = 3;

export const markerFile = (home: string): string => path.join(home, 'server.json');

/** A folder's marker, or undefined. */
export function readMarker(home: string): Marker | undefined {
  try {
    return JSON.parse(readText(markerFile(home))) as Marker;
  } catch {
    return undefined;
  }
}

/** This host, this boot, this process namespace. */
export const thisPlace = (): readonly string[] => [
  os.hostname(),
  readText('/proc/sys/kernel/random/boot_id').trim(),
  isLinux ? fs.readlinkSync('/proc/self/ns/pid') : '',
];

const containerBeatMs = 1_500;
const hostBeatMs = 4_000;
const answerPatienceMs = 15_000;

/** Refuses a folder that is in use where this host's lock does not reach: in another container, on another host. There, only signs of life tell. */
export async function refuseIfElsewhere(before: Marker, home: string, socket: string): Promise<void> {
  const [host, boot, processes] = thisPlace();
  const [hostBefore, bootBefore, processesBefore] = before.place;
  if (host === hostBefore && (boot !== bootBefore || processes === processesBefore)) return;
  const mark = markerFile(home);
  const beat = fs.statSync(mark).mtimeMs;
  await sleep(boot === bootBefore ? containerBeatMs : hostBeatMs);
  for (const until = Date.now() + answerPatienceMs; await answers(socket); await sleep(100)) {
    if (Date.now() > until) throw new Error(`The store in ${home} is in use in another container: ${readText(mark)}`);
  }
  if (fs.existsSync(mark) && fs.statSync(mark).mtimeMs !== beat)
    throw new Error(`The store in ${home} is in use on another host: ${readText(mark)}`);
}

const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = net.connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
