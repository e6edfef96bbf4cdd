import fs from 'node:fs';
import path from 'node:path';
import { readListedUsers, type RunAs } from './binaries.ts';
import { ownerRole } from './connection.ts';
import { openLog, readText, tailOf } from './files.ts';
import { isLinux, isWindows } from './processes.ts';
import { waitForExit, type Programs } from './programs.ts';

/** PostgreSQL's major version. It cannot open a data directory of another major version. */
export const serverMajor = '18';

/**
 * On Linux, a name for the data directory that is short, survives a move, and works even if the server's user may not enter the parent folders, because
 * the server is started inside the directory.
 */
export const dataName = isLinux ? '/proc/self/cwd' : undefined;

export interface DataDirectory {
  readonly home: string;
  readonly data: string;
  readonly log: string;
  /** Holds the owner's password. */
  readonly password: string;
  readonly initdb: string;
  readonly programs: Programs;
  /** Changes a file's owner to the user that runs the server. */
  readonly own: (file: string) => void;
}

/** Creates the data directory atomically. Throws an `Error` that says why it failed. */
export async function makeDataDirectory(directory: DataDirectory): Promise<void> {
  const { home, data } = directory;
  removeLeftOvers(home);
  const version = path.join(data, 'PG_VERSION');
  if (!fs.existsSync(version)) await initialise(directory);
  else restoreAccess(directory);
  const major = readText(version).trim();
  if (major !== serverMajor) {
    throw new Error(
      `${data} was made by PostgreSQL ${major || 'of an unknown version'}, but this distilog contains PostgreSQL ${serverMajor}. Open it with the version of distilog that made it.`,
    );
  }
}

/** Restores the owner and the mode of a data directory, which PostgreSQL checks and a copy may have lost. */
function restoreAccess(directory: DataDirectory): void {
  const { data, programs } = directory;
  const { uid, mode } = fs.statSync(data);
  if (programs.as.uid !== undefined && uid !== programs.as.uid) ownAll(directory);
  if ((mode & 0o077) !== 0 && !isWindows) fs.chmodSync(data, 0o700);
}

function ownAll({ data: named, programs, own }: DataDirectory): void {
  if (programs.as.uid === undefined) return;
  const data = fs.realpathSync(named);
  for (const file of ['', ...fs.readdirSync(data, { recursive: true, encoding: 'utf8' })]) own(path.join(data, file));
}

function removeLeftOvers(home: string): void {
  for (const name of fs.readdirSync(home)) {
    if (!name.startsWith('pg') || !name.includes('.new-')) continue;
    try {
      fs.rmSync(path.join(home, name), { recursive: true });
    } catch {
      // The initdb of a killed supervisor still writes there.
    }
  }
}

async function initialise(directory: DataDirectory): Promise<void> {
  const { home, data, log, password, programs, own } = directory;
  // Never a fixed name, because an orphaned initdb may still write to it.
  const fresh = fs.mkdtempSync(`${data}.new-`);
  const { as } = programs;
  let code: number | null = null;
  for (const user of [as, ...(as.uid === undefined ? [] : readListedUsers())]) {
    code = await runInitdb(directory, fresh, user);
    // Unlike initdb, the server can run as a user without a name.
    if (code === 0 || !tailOf(log).includes(namelessUser)) break;
  }
  if (code !== 0) {
    const errorText = tailOf(log);
    if (errorText.includes(namelessUser)) throw new Error(adviceForNamelessUser(home, as));
    const isFull = errorText.includes('No space left on device');
    const advice = isFull
      ? `The disk is full, so the store in ${home} cannot be created. Free 50 MB there, or name a server with --store. `
      : '';
    throw new Error(`${advice}initdb failed (${code}): ${errorText}`);
  }
  own(password);
  ownAll({ ...directory, data: fresh });
  fs.renameSync(fresh, data);
  if (isWindows) return;
  const parent = fs.openSync(home, 'r');
  fs.fsyncSync(parent);
  fs.closeSync(parent);
}

/** initdb's message for a user that is not in the password file, such as an arbitrary uid of a container. */
const namelessUser = 'could not look up effective user ID';

const adviceForNamelessUser = (home: string, { uid = process.getuid?.() }: RunAs): string =>
  `The store in ${home} cannot be made by user ${uid}, because PostgreSQL's initdb needs a user that /etc/passwd lists. ` +
  'Add the user there, run distilog as another user, or name a server with --store.';

async function runInitdb({ initdb, log, password, programs }: DataDirectory, fresh: string, as: RunAs): Promise<number | null> {
  for (const file of fs.readdirSync(fresh)) fs.rmSync(path.join(fresh, file), { recursive: true });
  if (as.uid !== undefined) for (const file of [fresh, password]) fs.lchownSync(file, as.uid, as.gid ?? as.uid);
  const args = [
    '-D',
    dataName ?? fresh,
    '-U',
    ownerRole,
    '-A',
    'scram-sha-256',
    `--pwfile=${isWindows ? password : '/dev/fd/0'}`,
    '-E',
    'UTF8',
    '--no-locale',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    '--wal-segsize=4',
    '-c',
    'huge_pages=off',
  ];
  const files = [fs.openSync(password, 'r'), openLog(log), openLog(log)];
  const code = await waitForExit(programs.start(initdb, args, { cwd: fresh, stdio: files, as }));
  for (const file of files) fs.closeSync(file);
  return code;
}
