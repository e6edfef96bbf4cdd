import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { foreignEntries } from './configuration.ts';
import { idFile, readText } from './files.ts';

/** SHA-256 of the `postgresql.conf` that distilog 0.1.0 wrote at each start: elsewhere, and on Windows. */
const earlierSettings = [
  '0daf3d5ea9aa29882d078df4dd5776137de30819a08f5bcdcbedbc6b9e919bdd',
  'a778f06f3b36ed38461136312a0e74607d344617d7e4ee9fb467d046d620f243',
];

/** Lines of the `pg_hba.conf` that initdb made for 0.1.0, without comments and spaces. */
const earlierLogins = ['local all', 'host all 127.0.0.1/32', 'host all ::1/128']
  .flatMap((line) => [line, line.replace('all', 'replication')].map((one) => one.split(' ')))
  .map(([type, database, ...address]) => [type, database, 'all', ...address, 'scram-sha-256'].join(' '))
  .sort();

/** How far the clocks of the file system and of initdb may be apart, and how long initdb may take. */
const clockToleranceMs = 1_000;
const initdbMaxMs = 120_000;

/**
 * Returns why a store without a marker is not one that distilog 0.1.0 made on this machine for this user, or null if it is. Ownership and an untouched
 * configuration are not enough: whoever unpacks an archive owns all of it, and its database may hold functions that run at the first login. So the
 * cluster's own time of birth must agree with the times at which this file system made its files, which no archive and no clone can bring along.
 */
export function whyNotOfThisUser(home: string): string | null {
  if (fs.existsSync(path.join(home, idFile))) return 'it was moved, copied or unpacked';
  const data = path.join(home, 'pg18');
  return whyChanged(home, data) ?? whyMadeElsewhere(data);
}

function whyChanged(home: string, data: string): string | null {
  const open = [home, ...belowFolder(home), ...belowFolder(data)].map(whyOpen).find((reason) => reason !== null);
  if (open !== undefined) return open;
  if (readText(path.join(data, 'PG_VERSION')).trim() !== '18') return 'it holds no database of distilog 0.1.0';
  const settings = createHash('sha256')
    .update(readText(path.join(data, 'postgresql.conf')))
    .digest('hex');
  const isUntouched =
    earlierSettings.includes(settings) &&
    statementsOf(path.join(data, 'postgresql.auto.conf')).length === 0 &&
    statementsOf(path.join(data, 'pg_ident.conf')).length === 0 &&
    statementsOf(path.join(data, 'pg_hba.conf')).sort().join('\n') === earlierLogins.join('\n');
  if (!isUntouched) return 'the configuration of its PostgreSQL was changed';
  const [foreign] = foreignEntries(data);
  return foreign === undefined ? null : `its PostgreSQL would act on pg18/${foreign}`;
}

/** Why a file may hold what another user put there. 0.1.0 left the folder, its lock and its socket readable for others, and nothing writable. */
function whyOpen(file: string): string | null {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!found) return null;
  const { uid, mode } = found;
  const name = path.basename(file);
  if (found.isSymbolicLink()) return `${name} is a link`;
  const user = process.geteuid?.();
  if (user === undefined) return null;
  // Root's server runs as nobody where the folder is root's own.
  if (uid !== user && !(user === 0 && uid === nobody)) return `${name} belongs to user ${uid}`;
  if ((mode & 0o022) !== 0 && !found.isSocket()) return `other users may write to ${name}`;
  const isSecret = name.endsWith('-password') || name === 'pg18';
  return isSecret && (mode & 0o077) !== 0 ? `other users may read ${name}` : null;
}

function whyMadeElsewhere(data: string): string | null {
  const madeAt = clusterTimeMs(path.join(data, 'global', 'pg_control'));
  const [version, control] = ['PG_VERSION', 'global/pg_control'].map((name) => bornAtMs(path.join(data, name)));
  // initdb writes PG_VERSION, then takes the time, then writes pg_control, which lives as long as the cluster.
  const isHere =
    version !== undefined &&
    control !== undefined &&
    version <= madeAt + clockToleranceMs &&
    version >= madeAt - initdbMaxMs &&
    control >= madeAt - clockToleranceMs &&
    control <= madeAt + initdbMaxMs;
  return isHere ? null : 'it was copied or unpacked';
}

/** When initdb made a cluster: the upper half of its system identifier is seconds, 20 bits below are microseconds. */
function clusterTimeMs(control: string): number {
  try {
    const identifier = fs.readFileSync(control).readBigUInt64LE(0);
    return Number(identifier >> 32n) * 1_000 + Number((identifier >> 12n) & 0xfffffn) / 1_000;
  } catch {
    return Number.NaN;
  }
}

/** When the file system made a file; undefined where it does not know, or there is no such file. */
function bornAtMs(file: string): number | undefined {
  const born = fs.lstatSync(file, { throwIfNoEntry: false })?.birthtimeMs;
  return born === 0 ? undefined : born;
}

const nobody = 65_534;

function belowFolder(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Lines of a configuration file that say something, with single spaces. */
const statementsOf = (file: string): string[] =>
  readText(file)
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
