import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Fault, hasCode, messageOf } from '../../kit/fault.ts';
import { makeStateFolder, readStateFile, writeStateFile } from '../../kit/state-directory.ts';
import { explainForeignStore } from './earlier-store.ts';
import { idFile, readText } from './files.ts';

/** Environment variable that names a folder whose store is used without a marker, for containers and CI. */
export const trustVariable = 'DISTILOG_TRUST_STORE';

const stateFolder = 'stores';

/** Contents of a file in the state directory, one per folder: it says that this user made or trusts the store. A clone or an archive cannot contain it. */
interface TrustMarker {
  readonly id: string;
  /** The store's folder. A moved or copied store has another path. */
  readonly home: string;
  /** Identity of the id file in the file system. A store that replaced this one has another file. */
  readonly file: string;
}

/**
 * Whether this user trusts a store's folder: `absent` (it holds nothing that PostgreSQL or distilog would act on), `trusted`, `earlier` (made by distilog
 * 0.1.0, which left no marker, for this user and on this machine), `foreign`.
 */
export type Trust = 'absent' | 'trusted' | 'earlier' | 'foreign';

/** Returns whether this user trusts the store in `home`. Changes nothing. Throws `Fault('state-unusable')`. */
export function trustOf(home: string): Trust {
  if (isNamedByEnvironment(home)) return 'trusted';
  if (isAbsent(home)) return 'absent';
  if (isMarked(home)) return 'trusted';
  return explainForeignStore(home) === null ? 'earlier' : 'foreign';
}

/**
 * Admits a store, or throws `Fault('store-not-trusted')`. Records a store that is about to be made, and a store of 0.1.0, which it reports by `notify`. The
 * folder `home` must exist.
 */
export function admitStore(home: string, notify: (sentence: string) => void): void {
  if (isNamedByEnvironment(home)) return;
  if (isMarked(home)) return;
  if (isAbsent(home)) {
    markTrusted(home);
    return;
  }
  // Another process may have made the store since the first check. It writes the marker before anything else.
  if (isMarked(home)) return;
  const reason = explainForeignStore(home);
  if (reason !== null) throw notTrusted(home, reason);
  markTrusted(home);
  notify(
    `The store in ${home} was made by distilog 0.1.0 for this user, and its configuration is untouched. It was accepted and recorded.`,
  );
}

/** Throws for a store that `admitStore` would refuse. Records nothing, and accepts a folder without a store. */
export function requireTrusted(home: string): void {
  if (trustOf(home) === 'foreign') throw notTrusted(home, explainForeignStore(home) ?? '');
}

/** Records that this user trusts the store in `home` with all that it holds. Throws `Fault('no-such-store')`, `Fault('state-unusable')`. */
export function trustStore(home: string): void {
  if (isAbsent(home)) throw new Fault('no-such-store', `${home} holds no store, so there is nothing to trust.`);
  requireOwner(home);
  markTrusted(home);
}

function isNamedByEnvironment(home: string): boolean {
  const named = process.env[trustVariable];
  // A relative path would mean another folder in each working directory, including a fresh clone.
  if (!named || !path.isAbsolute(named)) return false;
  try {
    const folder = fs.realpathSync(named);
    return folder === path.dirname(home) || folder === home;
  } catch {
    return false;
  }
}

/** Returns whether `home` holds nothing but the id of a store that was about to be made. */
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
  // Before anything else, because without a marker the next command would refuse the new store.
  try {
    makeStateFolder([stateFolder]);
  } catch (error) {
    throw new Fault('state-unusable', `${messageOf(error)} In a container or CI, set ${trustVariable}=${path.dirname(home)} instead.`, {
      cause: error,
    });
  }
  requireOwner(home);
  const id = idOf(home) || makeId(home);
  writeStateFile(markerOf(home), `${JSON.stringify({ id, home, file: fileOf(home) } satisfies TrustMarker)}\n`);
}

/** Throws if another user owns the folder, because that user can put anything there later. Root passes: its server runs as the folder's owner. */
function requireOwner(home: string): void {
  const user = process.geteuid?.() ?? 0;
  const { uid } = fs.statSync(home);
  if (user === 0 || uid === user) return;
  throw notTrusted(home, `it belongs to user ${uid}, and this is user ${user}`);
}

const markerOf = (home: string): readonly string[] => [stateFolder, `${createHash('sha256').update(home).digest('hex')}.json`];

const idOf = (home: string): string => readText(path.join(home, idFile)).trim();

/** Creates the id file atomically and returns the id. If two processes do so concurrently, the first one wins. */
function makeId(home: string): string {
  const file = path.join(home, idFile);
  const id = randomBytes(16).toString('hex');
  const fresh = `${file}.${id}`;
  fs.writeFileSync(fresh, `${id}\n`, { mode: 0o600, flag: 'wx' });
  try {
    fs.linkSync(fresh, file);
  } catch {
    // The file exists, or this file system has no hard links. Without links the last process wins.
    if (!fs.existsSync(file)) fs.copyFileSync(fresh, file);
  } finally {
    fs.rmSync(fresh, { force: true });
  }
  return idOf(home);
}

/** Returns the inode and creation time of the id file, which a replaced file does not share. A file system without creation times reports 0. */
function fileOf(home: string): string {
  const found = fs.lstatSync(path.join(home, idFile), { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino}:${found.birthtimeNs}` : '';
}

function notTrusted(home: string, reason: string): Fault {
  const folder = path.dirname(home);
  return new Fault(
    'store-not-trusted',
    `The store in ${home} is not trusted, because this user did not create it here${reason ? ` (${reason})` : ''}. ` +
      `A store can run programs as you. If you trust all that it holds, run: distilog db trust ${quoteForShell(folder)}. ` +
      `In a container or CI, set ${trustVariable}=${quoteForShell(folder)}.`,
    { details: { folder } },
  );
}

const quoteForShell = (text: string): string => (/^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
