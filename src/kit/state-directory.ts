import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { codeOf, Fault, isFault, messageOf } from './fault.ts';

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the folder that holds what distilog remembers about this user on this machine, whether it exists or not: `$XDG_STATE_HOME/distilog`, else
 * `~/.local/state/distilog` (Windows: `%LOCALAPPDATA%\distilog\state`). A relative `XDG_STATE_HOME` is ignored, as its specification requires.
 * Throws `Fault('state-unusable')` for a user without a home.
 */
export function stateDirectory(environment: Environment = process.env): string {
  const given = environment['XDG_STATE_HOME'];
  if (given && path.isAbsolute(given)) return path.join(given, 'distilog');
  const local = environment['LOCALAPPDATA'];
  if (process.platform === 'win32' && local) return path.join(local, 'distilog', 'state');
  try {
    return path.join(os.homedir(), '.local', 'state', 'distilog');
  } catch (error) {
    throw unusable('~/.local/state', error);
  }
}

/**
 * Makes a folder below the state directory with mode 0700 and returns its path; without `names`, the state directory itself. Throws
 * `Fault('state-unusable')` if it cannot be made, or belongs to another user, whose entries would then count as this user's.
 */
export function makeStateFolder(names: readonly string[] = [], environment: Environment = process.env): string {
  let folder = stateDirectory(environment);
  for (const name of ['', ...names]) {
    folder = path.join(folder, name);
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      requireOwn(folder, fs.statSync(folder));
      fs.accessSync(folder, fs.constants.W_OK);
      if (process.platform !== 'win32') fs.chmodSync(folder, 0o700);
    } catch (error) {
      throw isFault(error) ? error : unusable(folder, error);
    }
  }
  return folder;
}

/** Writes a file below the state directory atomically, with mode 0600. Throws `Fault('state-unusable')`. */
export function writeStateFile(names: readonly string[], text: string, environment: Environment = process.env): void {
  const file = path.join(makeStateFolder(names.slice(0, -1), environment), names.at(-1) ?? '');
  // The name is unique, because two processes may write the same file concurrently. Each rename is atomic.
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    fs.writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw unusable(file, error);
  }
}

/** Returns the text of a file below the state directory, or null if there is none. Throws `Fault('state-unusable')`, also for a file of another user. */
export function readStateFile(names: readonly string[], environment: Environment = process.env): string | null {
  const directory = stateDirectory(environment);
  const file = path.join(directory, ...names);
  let opened: number | undefined;
  try {
    requireOwn(directory, fs.statSync(directory));
    opened = fs.openSync(file, 'r');
    requireOwn(file, fs.fstatSync(opened));
    return fs.readFileSync(opened, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw isFault(error) ? error : unusable(file, error);
  } finally {
    if (opened !== undefined) fs.closeSync(opened);
  }
}

/** Windows reports no user ids; there, a profile's folders are closed to other users by default. */
function requireOwn(file: string, { uid }: fs.Stats): void {
  const user = process.geteuid?.();
  if (user !== undefined && uid !== user) throw unusable(file, new Error(`it belongs to user ${uid}, and this is user ${user}`));
}

const unusable = (file: string, error: unknown): Fault =>
  new Fault(
    'state-unusable',
    `distilog cannot use ${file}, where it records what this user made: ${messageOf(error)}. Set XDG_STATE_HOME to a folder that this user owns.`,
    { cause: error },
  );
