// The supervisor of a folder's PostgreSQL: a separate process, one per folder, which the first client starts and which ends some seconds after the last
// client. It imports as little as possible, because it stays in memory.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../kit/fault.ts';
import { findBinaries, runAsFor } from './binaries.ts';
import { closeFolder } from './closed-folder.ts';
import { appRole, databaseName, noOptions, ownerRole, passwordFiles, type Connection } from './connection.ts';
import { makeDataDirectory, serverMajor } from './data-directory.ts';
import { identityOf, openLog, readText, shortenLog, writeAtomically } from './files.ts';
import { busyExitCode, markerFile, readMarker, refuseIfElsewhere, thisPlace, type Marker } from './marker.ts';
import { becomeOwner } from './owner.ts';
import { Postmaster, usesTcp } from './postmaster.ts';
import { endOrphans, isLinux } from './processes.ts';
import { createPrograms } from './programs.ts';
import { openRendezvous } from './rendezvous.ts';
import { hasOtherClients, ensureRoles } from './roles.ts';

const sqliteBusy = 5;
/** Time that the server keeps running after its last client. */
const idleMs = Number(process.env['DISTILOG_IDLE_MS'] ?? 5_000);
const lookMs = 500;
const logBytesMax = 1_000_000;

async function supervise(home: string): Promise<void> {
  // Closes everything that this process creates to other users, especially sockets, which get their mode from the umask.
  process.umask(0o077);
  const data = path.join(home, `pg${serverMajor}`);
  const user = runAsFor(path.dirname(home));
  const binaries = findBinaries(home, user);
  const as = becomeOwner(home, data, user);
  closeFolder(home);
  await lockOrLeave(home);
  const own = (file: string) => {
    if (as.uid !== undefined) fs.lchownSync(file, as.uid, as.gid ?? as.uid);
  };
  const log = path.join(home, 'postgres.log');
  const passwords = { owner: path.join(home, passwordFiles.owner), app: path.join(home, passwordFiles.app) };
  own(path.join(home, 'lock'));
  writeAtomically(path.join(home, '.gitignore'), '*\n', own);
  for (const file of Object.values(passwords)) if (!readText(file)) writeAtomically(file, randomBytes(24).toString('base64url'), own);
  if (isLinux && !fs.existsSync('/proc/self/cwd'))
    throw new Error('An embedded store needs /proc. Mount it, or name a server with --store.');
  const before = readMarker(home);
  if (before) await refuseIfElsewhere(before, home, path.join(before.run || data, '.s.PGSQL.5432'));
  await endOrphans(data);

  const programs = createPrograms(as, binaries.libraries);
  const identity = identityOf(home);
  // A marker that was copied along with the folder names the sockets of a server that may be running.
  const runBefore = before?.identity === identity ? before.run : undefined;
  const rendezvous = await openRendezvous(home, data, runBefore, own, () => void quit(0));
  const { control, run } = rendezvous;
  writeAtomically(markerFile(home), JSON.stringify({ pid: process.pid, place: thisPlace(), identity, control, run } satisfies Marker), own);

  let isStopping = false;
  let owner: Connection | undefined;
  const connection = (user: string, password: string, port: number, host: string): Connection => ({
    host,
    port,
    user,
    password,
    database: databaseName,
    ssl: false,
    options: noOptions,
  });
  const quit = async (code: number, error?: string): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    fs.rmSync(markerFile(home), { force: true });
    if (error) console.error(error);
    rendezvous.close(error);
    await postmaster.stop(code === 1);
    if (run) fs.rmSync(run, { recursive: true, force: true });
    // The kernel releases the lock with the process.
    process.exit(code);
  };
  const postmaster = new Postmaster({
    postgres: binaries.postgres,
    data,
    log,
    run,
    programs,
    onReady: async (port) => {
      const ownerHost = usesTcp ? '127.0.0.1' : run || data;
      owner = connection(ownerRole, readText(passwords.owner), port, ownerHost);
      await ensureRoles(owner, readText(passwords.app));
      const clientHost = usesTcp ? '127.0.0.1' : run || path.basename(data);
      rendezvous.publish({ app: connection(appRole, '', port, clientHost), owner: connection(ownerRole, '', port, clientHost) });
    },
    onGone: () => {
      owner = undefined;
      rendezvous.publish(undefined);
    },
    onMoved: () => rendezvous.disconnectAll(),
    onFailed: (error) => void quit(1, error),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void quit(0));
  const fail = (error: unknown) => {
    console.error(error);
    void quit(1, messageOf(error));
  };
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  setInterval(() => {
    if (identityOf(home) !== identity || (owner && !fs.existsSync(path.join(data, 'PG_VERSION')))) {
      void quit(1, 'The folder of the store was moved or deleted.');
      return;
    }
    // Shows other hosts that this supervisor is alive.
    if (!isStopping) fs.utimesSync(markerFile(home), new Date(), new Date());
    postmaster.endIfStuck();
  }, lookMs);

  if (!readText(log)) fs.closeSync(openLog(log));
  else shortenLog(log, logBytesMax);
  own(log);
  try {
    await makeDataDirectory({ home, data, log, password: passwords.owner, initdb: binaries.initdb, programs, own });
  } catch (error) {
    await quit(1, messageOf(error));
    return;
  }
  await postmaster.start();

  while (!isStopping) {
    await sleep(Math.min(lookMs, idleMs / 2));
    if (rendezvous.clients > 0 || Date.now() - rendezvous.idleSince < idleMs) continue;
    if (owner && (await hasOtherClients(owner))) continue;
    if (rendezvous.clients === 0) await quit(0);
  }
}

/** Acquires a kernel lock that ends with the process and works across namespaces, or exits. Node has no flock, so it uses SQLite's exclusive transaction. */
async function lockOrLeave(home: string): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite');
  const lock = new DatabaseSync(ownLock(path.join(home, 'lock')));
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error;
    process.exit(busyExitCode);
  }
  lockReferences.push(lock);
}

/** Removes another user's lock file, because no supervisor of this folder holds it and its owner may lock it forever. Returns the file. */
function ownLock(file: string): string {
  const user = process.geteuid?.();
  const owner = fs.lstatSync(file, { throwIfNoEntry: false })?.uid;
  if (user !== undefined && user !== 0 && owner !== undefined && owner !== user) fs.rmSync(file);
  return file;
}

// References the lock as long as the process lives, because garbage collection would release it.
const lockReferences: unknown[] = [];

if (process.argv[2] === '--supervise') {
  await supervise(process.argv[3] as string).catch((error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  });
}
