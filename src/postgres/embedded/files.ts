import fs from 'node:fs';

/** Flag that refuses a link in place of a file: the folder may belong to another user who planted the link. (Windows has no such flag.) */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;
/** Flag that opens a pipe in place of a file without waiting for its other end. */
const noWait = fs.constants.O_NONBLOCK ?? 0;

/** The file that holds a store's id. */
export const idFile = 'store-id';

/** Returns a file's text, or '' if it cannot be read. Never waits, because a pipe in place of a file would never end. */
export function readText(file: string): string {
  let opened: number | undefined;
  try {
    opened = fs.openSync(file, fs.constants.O_RDONLY | noFollow | noWait);
    return fs.fstatSync(opened).isFile() ? fs.readFileSync(opened, 'utf8') : '';
  } catch {
    return '';
  } finally {
    if (opened !== undefined) fs.closeSync(opened);
  }
}

/** Returns the last five lines of a file. */
export const tailOf = (file: string): string => readText(file).trimEnd().split('\n').slice(-5).join('\n');

/** Returns a folder's identity, its device and inode, whatever its name. A move keeps it, and a copy has another. */
export function identityOf(file: string): string {
  try {
    const { dev, ino } = fs.statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return 'gone';
  }
}

/** Writes a file atomically, readable by its owner only. */
export function writeAtomically(file: string, text: string, own: (file: string) => void): void {
  const fresh = `${file}.new`;
  fs.rmSync(fresh, { force: true });
  fs.writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
  own(fresh);
  fs.renameSync(fresh, file);
}

/** Empties a log that is larger than `bytesMax`. */
export function shortenLog(file: string, bytesMax: number): void {
  const log = openLog(file);
  if (fs.fstatSync(log).size > bytesMax) fs.ftruncateSync(log);
  fs.closeSync(log);
}

/** Opens a log file for appending. */
export function openLog(file: string): number {
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  return fs.openSync(file, O_APPEND | O_CREAT | O_WRONLY | noFollow, 0o600);
}
