import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { pause } from '../../src/kit/pause.ts';
import { migrate, type Connect } from '../../src/postgres/index.ts';
import { findBinaries, runAsFor } from '../../src/postgres/embedded/binaries.ts';
import { findFreePort } from '../../src/postgres/embedded/free-port.ts';
import { serverSettings } from '../../src/postgres/embedded/server-settings.ts';

/** A PostgreSQL server for one attack, which may stop it, fill its disk and restore an older copy. Only the attack restarts it. */
export interface OwnServer {
  /** The path of its socket. */
  readonly socket: string;
  /** The port of its TCP address, if it has one. */
  readonly port: number;
  /** The data directory. Copy it only while the server is stopped. */
  readonly data: string;
  readonly owner: Connect;
  /** Connects with the program's own role. */
  readonly app: Connect;
  /** Starts it and waits until it accepts connections, without a time limit. */
  start(): Promise<void>;
  /** Stops it. `immediate` writes no checkpoint and notifies no client, as in a crash. */
  stop(how: 'fast' | 'immediate'): Promise<void>;
  isRunning(): boolean;
  /** Runs SQL as the owner. */
  sql(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** Stops it and removes everything. */
  remove(): Promise<void>;
}

export interface OwnServerOptions {
  /** Puts its data on a disk of so many bytes: a tmpfs, which only root can mount. */
  readonly diskBytes?: number | undefined;
  /** Also listens on TCP, on this machine only. */
  readonly isOnTcp?: boolean | undefined;
}

/** Returns whether this user may mount a small disk. */
export function canMount(): boolean {
  if (process.platform !== 'linux') return false;
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    fs.rmdirSync(place);
  }
}

const database = 'postgres';
const startPauseMs = 30;

/** Creates a server and returns it, migrated and running. */
export async function ownServer({ diskBytes, isOnTcp = false }: OwnServerOptions = {}): Promise<OwnServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-server-'));
  fs.chmodSync(folder, 0o755);
  const disk = path.join(folder, 'disk');
  const data = path.join(disk, 'data');
  const log = path.join(folder, 'log');
  const as = runAsFor(folder);
  const give = (file: string) => as.uid !== undefined && fs.chownSync(file, as.uid, as.gid ?? as.uid);
  fs.mkdirSync(disk);
  if (diskBytes !== undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk]);
  for (const file of [folder, disk]) give(file);
  const { postgres, initdb, libraries } = findBinaries(folder, as);
  const options = { ...as, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries } };
  const login = ['-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync', '--wal-segsize=4'];
  execFileSync(initdb, ['-D', data, ...login], { ...options, stdio: 'pipe' });
  const port = isOnTcp ? await findFreePort() : 5432;
  const places = `listen_addresses = '${isOnTcp ? '127.0.0.1' : ''}'\nport = ${port}\nunix_socket_directories = '${folder}'\n`;
  const settings = Object.entries({ ...serverSettings, allow_alter_system: 'on' }).map(([name, value]) => `${name} = '${value}'\n`);
  fs.appendFileSync(path.join(data, 'postgresql.conf'), `${settings.join('')}${places}`);

  let postmaster: ChildProcess | undefined;
  const connect = (user: string): Connect => {
    return () => ({ host: folder, port, user, database });
  };
  const owner = connect('postgres');
  const isRunning = () => postmaster !== undefined && postmaster.exitCode === null && postmaster.signalCode === null;
  const server: OwnServer = {
    isRunning,
    socket: path.join(folder, `.s.PGSQL.${port}`),
    port,
    data,
    owner,
    app: connect('distilog_app'),
    start: async () => {
      for (;;) {
        if (!isRunning()) {
          const descriptor = fs.openSync(log, 'a');
          postmaster = spawn(postgres, ['-D', data], { ...options, stdio: ['ignore', descriptor, descriptor] });
          fs.closeSync(descriptor);
        }
        if (await isIn(owner)) return;
        await pause(startPauseMs);
      }
    },
    stop: async (how) => {
      if (!isRunning()) return;
      const ended = new Promise((resolve) => postmaster?.once('exit', resolve));
      postmaster?.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await ended;
    },
    sql: async (text, values = []) => {
      const client = new pg.Client(owner());
      client.on('error', () => undefined);
      await client.connect();
      try {
        return await client.query(text, [...values]);
      } finally {
        await client.end();
      }
    },
    remove: async () => {
      await server.stop('immediate');
      if (diskBytes !== undefined) execFileSync('umount', ['--lazy', disk]);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  process.once('exit', () => postmaster?.kill('SIGQUIT'));
  await server.start();
  await server.sql('create role distilog_app login');
  await migrate(owner);
  return server;
}

async function isIn(connect: Connect): Promise<boolean> {
  const client = new pg.Client(connect());
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
