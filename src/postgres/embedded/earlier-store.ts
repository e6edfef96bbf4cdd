import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { findForeignEntries } from './configuration.ts';
import { idFile, readText } from './files.ts';

/** SHA-256 of the `postgresql.conf` that distilog 0.1.0 wrote at each start: on Unix, and on Windows. */
const earlierSettings = [
  '0daf3d5ea9aa29882d078df4dd5776137de30819a08f5bcdcbedbc6b9e919bdd',
  'a778f06f3b36ed38461136312a0e74607d344617d7e4ee9fb467d046d620f243',
];

/** Lines of the `pg_hba.conf` that initdb wrote for 0.1.0, without comments and spaces. */
const earlierLogins = ['local all', 'host all 127.0.0.1/32', 'host all ::1/128']
  .flatMap((line) => [line, line.replace('all', 'replication')].map((one) => one.split(' ')))
  .map(([type, database, ...address]) => [type, database, 'all', ...address, 'scram-sha-256'].join(' '))
  .sort();

/** Largest difference between the clocks of the file system and of initdb, and longest duration of initdb. */
const clockToleranceMs = 1_000;
const initdbMaxMs = 120_000;

/**
 * Returns why a store without a marker is not one that distilog 0.1.0 made on this machine for this user, or null if it is. Ownership and an untouched
 * configuration are no proof: a user who unpacks an archive owns all of it, and its database may hold functions that run at the first login. So the
 * cluster's creation time must agree with the creation times of its files in this file system, which no archive and no clone can contain.
 */
export function explainForeignStore(home: string): string | null {
  if (fs.existsSync(path.join(home, idFile))) return 'it was moved, copied or unpacked';
  const data = path.join(home, 'pg18');
  return explainChange(home, data) ?? explainForeignOrigin(data);
}

function explainChange(home: string, data: string): string | null {
  const open = [home, ...listFolder(home), ...listFolder(data)].map(explainAccess).find((reason) => reason !== null);
  if (open !== undefined) return open;
  if (readText(path.join(data, 'PG_VERSION')).trim() !== '18') return 'it holds no database of distilog 0.1.0';
  const settings = createHash('sha256')
    .update(readText(path.join(data, 'postgresql.conf')))
    .digest('hex');
  const isUntouched =
    earlierSettings.includes(settings) &&
    readStatements(path.join(data, 'postgresql.auto.conf')).length === 0 &&
    readStatements(path.join(data, 'pg_ident.conf')).length === 0 &&
    readStatements(path.join(data, 'pg_hba.conf')).sort().join('\n') === earlierLogins.join('\n');
  if (!isUntouched) return 'the configuration of its PostgreSQL was changed';
  const [foreign] = findForeignEntries(data);
  return foreign === undefined ? null : `its PostgreSQL would act on pg18/${foreign}`;
}

/** Returns why another user may have written a file, or null. 0.1.0 left the folder, its lock and its socket readable for others, and nothing writable. */
function explainAccess(file: string): string | null {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!found) return null;
  const { uid, mode } = found;
  const name = path.basename(file);
  if (found.isSymbolicLink()) return `${name} is a link`;
  const user = process.geteuid?.();
  if (user === undefined) return null;
  // Under root, the server runs as the user `nobody` if root owns the folder.
  if (uid !== user && !(user === 0 && uid === nobodyUid)) return `${name} belongs to user ${uid}`;
  if ((mode & 0o022) !== 0 && !found.isSocket()) return `other users may write to ${name}`;
  const isSecret = name.endsWith('-password') || name === 'pg18';
  return isSecret && (mode & 0o077) !== 0 ? `other users may read ${name}` : null;
}

function explainForeignOrigin(data: string): string | null {
  const madeAt = readClusterTimeMs(path.join(data, 'global', 'pg_control'));
  const [version, control] = ['PG_VERSION', 'global/pg_control'].map((name) => readBirthTimeMs(path.join(data, name)));
  // initdb writes PG_VERSION, then reads the clock, then writes pg_control, which exists as long as the cluster.
  const isHere =
    version !== undefined &&
    control !== undefined &&
    version <= madeAt + clockToleranceMs &&
    version >= madeAt - initdbMaxMs &&
    control >= madeAt - clockToleranceMs &&
    control <= madeAt + initdbMaxMs;
  return isHere ? null : 'it was copied or unpacked';
}

/** Returns when initdb created a cluster. The upper half of its system identifier is seconds; the 20 bits below are microseconds. */
function readClusterTimeMs(control: string): number {
  try {
    const identifier = fs.readFileSync(control).readBigUInt64LE(0);
    return Number(identifier >> 32n) * 1_000 + Number((identifier >> 12n) & 0xfffffn) / 1_000;
  } catch {
    return Number.NaN;
  }
}

/** Returns when the file system created a file, or undefined if that is unknown or there is no such file. */
function readBirthTimeMs(file: string): number | undefined {
  const born = fs.lstatSync(file, { throwIfNoEntry: false })?.birthtimeMs;
  return born === 0 ? undefined : born;
}

const nobodyUid = 65_534;

function listFolder(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Returns the lines of a configuration file without comments and blank lines, with single spaces. */
const readStatements = (file: string): string[] =>
  readText(file)
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
