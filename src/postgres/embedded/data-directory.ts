import fs from 'node:fs';
import path from 'node:path';
import { listedUsers, type RunAs } from './binaries.ts';
import { ownerRole } from './connection.ts';
import { openLog, readText, tailOf } from './files.ts';
import { isLinux, isWindows } from './processes.ts';
import { exitOf, type Programs } from './programs.ts';

/** PostgreSQL's major version: a data directory of another cannot be opened. */
export const serverMajor = '18';

/**
 * On Linux, a name for the data directory that is short whatever its path, survives a move, and needs no way through parents that the server's user
 * may not enter: the server is started inside it.
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
  /** Gives a file to the user who runs the server. */
  readonly own: (file: string) => void;
}

/** Makes the data directory, complete or not at all. Throws an `Error` that says why it cannot be. */
export async function makeDataDirectory(directory: DataDirectory): Promise<void> {
  const { home, data } = directory;
  removeLeftOvers(home);
  const version = path.join(data, 'PG_VERSION');
  if (!fs.existsSync(version)) await initialise(directory);
  else takeBack(directory);
  const major = readText(version).trim();
  if (major !== serverMajor) {
    throw new Error(
      `${data} was made by PostgreSQL ${major || 'of an unknown version'}, and this distilog brings ${serverMajor}: open it with the distilog that made it.`,
    );
  }
}

/** A copy may have lost what PostgreSQL insists on: an owner who is the server's user, and nobody else's access. */
function takeBack(directory: DataDirectory): void {
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
      // The initdb of a supervisor that was killed is still writing there.
    }
  }
}

async function initialise(directory: DataDirectory): Promise<void> {
  const { home, data, log, password, programs, own } = directory;
  // Never a fixed name: somebody's orphaned initdb may still write to it.
  const fresh = fs.mkdtempSync(`${data}.new-`);
  const { as } = programs;
  let code: number | null = null;
  for (const user of [as, ...(as.uid === undefined ? [] : listedUsers())]) {
    code = await runInitdb(directory, fresh, user);
    // The server runs as a user without a name; initdb does not.
    if (code === 0 || !tailOf(log).includes(namelessUser)) break;
  }
  if (code !== 0) {
    const said = tailOf(log);
    if (said.includes(namelessUser)) throw new Error(namelessAdvice(home, as));
    const isFull = said.includes('No space left on device');
    const advice = isFull ? `There is no room for the store in ${home}: free some 50 MB there, or name a server with --store. ` : '';
    throw new Error(`${advice}initdb failed (${code}): ${said}`);
  }
  own(password);
  ownAll({ ...directory, data: fresh });
  fs.renameSync(fresh, data);
  if (isWindows) return;
  const parent = fs.openSync(home, 'r');
  fs.fsyncSync(parent);
  fs.closeSync(parent);
}

/** What initdb says to a user whom no password file lists: a container's arbitrary uid, say. */
const namelessUser = 'could not look up effective user ID';

const namelessAdvice = (home: string, { uid = process.getuid?.() }: RunAs): string =>
  `The store in ${home} cannot be made by user ${uid}, whom /etc/passwd does not list: PostgreSQL's initdb wants a name. ` +
  'Add the user there, run distilog as another, or name a server with --store.';

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
  const code = await exitOf(programs.start(initdb, args, { cwd: fresh, stdio: files, as }));
  for (const file of files) fs.closeSync(file);
  return code;
}
