import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Fault, hasCode, messageOf } from '../../kit/fault.ts';
import { makeStateFolder, readStateFile, writeStateFile } from '../../kit/state-directory.ts';
import { whyNotOfThisUser } from './earlier-store.ts';
import { idFile, readText } from './files.ts';

/** Environment variable that names a folder whose store is used without a marker: for containers and CI. */
export const trustVariable = 'DISTILOG_TRUST_STORE';

const stateFolder = 'stores';

/** A file of the state directory, one a folder: this user made the store in it, or trusts it. A clone or an archive cannot bring it along. */
interface TrustMarker {
  readonly id: string;
  /** The store's folder. A moved or copied store is at another place. */
  readonly home: string;
  /** The id file, as the file system knows it. A store that was put in the place of this one has another file. */
  readonly file: string;
}

/**
 * How a store's folder stands with this user: `absent` (nothing is there that PostgreSQL or distilog would act on), `trusted`, `earlier` (made by
 * distilog 0.1.0, which left no marker, for this user and on this machine), `foreign`.
 */
export type Trust = 'absent' | 'trusted' | 'earlier' | 'foreign';

/** Returns how the store in `home` stands with this user. Changes nothing. Throws `Fault('state-unusable')`. */
export function trustOf(home: string): Trust {
  if (isNamedByEnvironment(home)) return 'trusted';
  if (isAbsent(home)) return 'absent';
  if (isMarked(home)) return 'trusted';
  return whyNotOfThisUser(home) === null ? 'earlier' : 'foreign';
}

/**
 * Lets a store be used, or throws `Fault('store-not-trusted')`. Records a store that is about to be made, and one of 0.1.0, which `notify` reports.
 * `home` is a folder that exists.
 */
export function admitStore(home: string, notify: (sentence: string) => void): void {
  if (isNamedByEnvironment(home)) return;
  if (isMarked(home)) return;
  if (isAbsent(home)) {
    markTrusted(home);
    return;
  }
  // Another process may have made it since the first look: it writes the marker before anything else.
  if (isMarked(home)) return;
  const reason = whyNotOfThisUser(home);
  if (reason !== null) throw notTrusted(home, reason);
  markTrusted(home);
  notify(`The store in ${home} was made by distilog 0.1.0 for this user, and its configuration is untouched: it is accepted and recorded.`);
}

/** Refuses a store that `admitStore` would refuse, and records nothing. A folder without a store passes. */
export function requireTrusted(home: string): void {
  if (trustOf(home) === 'foreign') throw notTrusted(home, whyNotOfThisUser(home) ?? '');
}

/** Records that this user trusts the store in `home`, and whatever it holds. Throws `Fault('no-such-store')`, `Fault('state-unusable')`. */
export function trustStore(home: string): void {
  if (isAbsent(home)) throw new Fault('no-such-store', `${home} holds no store: there is nothing to trust.`);
  requireOwner(home);
  markTrusted(home);
}

function isNamedByEnvironment(home: string): boolean {
  const named = process.env[trustVariable];
  // A relative path would name another folder wherever a command is given, a clone that was just made among them.
  if (!named || !path.isAbsolute(named)) return false;
  try {
    const folder = fs.realpathSync(named);
    return folder === path.dirname(home) || folder === home;
  } catch {
    return false;
  }
}

/** Whether nothing is in `home` but the id of a store that was about to be made. */
function isAbsent(home: string): boolean {
  try {
    return fs.readdirSync(home).every((name) => name.startsWith(idFile));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return true;
    throw new Fault('embedded-failed', `The store's ${home} cannot be opened: ${messageOf(error)}.`, { cause: error });
  }
}

function isMarked(home: string): boolean {
  const id = idOf(home);
  if (id === '') return false;
  const marker = readMarker(home);
  return marker !== null && marker.id === id && marker.home === home && marker.file === fileOf(home);
}

function readMarker(home: string): Partial<TrustMarker> | null {
  try {
    return JSON.parse(readStateFile(markerOf(home)) ?? 'null') as Partial<TrustMarker> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function markTrusted(home: string): void {
  // Before anything is put into the folder: where no marker can be kept, no store is made that the next command would refuse.
  try {
    makeStateFolder([stateFolder]);
  } catch (error) {
    throw new Fault('state-unusable', `${messageOf(error)} In a container or CI, ${trustVariable}=${path.dirname(home)} does without.`, {
      cause: error,
    });
  }
  requireOwner(home);
  const id = idOf(home) || makeId(home);
  writeStateFile(markerOf(home), `${JSON.stringify({ id, home, file: fileOf(home) } satisfies TrustMarker)}\n`);
}

/** Another user who owns the folder can put anything there later. Root's server runs as the owner of the folder, whoever that is. */
function requireOwner(home: string): void {
  const user = process.geteuid?.() ?? 0;
  const { uid } = fs.statSync(home);
  if (user === 0 || uid === user) return;
  throw notTrusted(home, `it belongs to user ${uid}, and this is user ${user}`);
}

const markerOf = (home: string): readonly string[] => [stateFolder, `${createHash('sha256').update(home).digest('hex')}.json`];

const idOf = (home: string): string => readText(path.join(home, idFile)).trim();

/** Makes the id file whole or not at all, and returns the id. Of two processes that make one concurrently, the first wins. */
function makeId(home: string): string {
  const file = path.join(home, idFile);
  const id = randomBytes(16).toString('hex');
  const fresh = `${file}.${id}`;
  fs.writeFileSync(fresh, `${id}\n`, { mode: 0o600, flag: 'wx' });
  try {
    fs.linkSync(fresh, file);
  } catch {
    // It exists, or this file system has no hard links; then the last one wins.
    if (!fs.existsSync(file)) fs.copyFileSync(fresh, file);
  } finally {
    fs.rmSync(fresh, { force: true });
  }
  return idOf(home);
}

/** Inode and time of birth: a file that is written in this one's place has others. A file system without times of birth reports 0. */
function fileOf(home: string): string {
  const found = fs.lstatSync(path.join(home, idFile), { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino}:${found.birthtimeNs}` : '';
}

function notTrusted(home: string, reason: string): Fault {
  const folder = path.dirname(home);
  return new Fault(
    'store-not-trusted',
    `The store in ${home} is not used: this user did not make it at this place${reason ? ` (${reason})` : ''}. ` +
      `A store can run programs as you. If you trust all that it holds, run: distilog db trust ${quoted(folder)}. ` +
      `In a container or CI, set ${trustVariable}=${quoted(folder)}.`,
    { details: { folder } },
  );
}

const quoted = (text: string): string => (/^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
