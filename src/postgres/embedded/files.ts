import fs from 'node:fs';

/** A link in a file's place is not followed: the folder may be another user's, who planted it. (Windows has no such flag.) */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;
/** A pipe in a file's place is opened without waiting for its other end. */
const noWait = fs.constants.O_NONBLOCK ?? 0;

/** The file that holds a store's id. */
export const idFile = 'store-id';

/** A file's text, or '' where there is none to be read. Never waits: a pipe in a file's place has no end. */
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

/** The last lines of a file. */
export const tailOf = (file: string): string => readText(file).trimEnd().split('\n').slice(-5).join('\n');

/** What a folder is, however it is called: device and inode. A copy is another; a moved one stays the same. */
export function identityOf(file: string): string {
  try {
    const { dev, ino } = fs.statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return 'gone';
  }
}

/** Writes a file whole or not at all, readable by its owner only. */
export function writeWhole(file: string, text: string, own: (file: string) => void): void {
  const fresh = `${file}.new`;
  fs.rmSync(fresh, { force: true });
  fs.writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
  own(fresh);
  fs.renameSync(fresh, file);
}

/** Empties a log that has grown beyond so many bytes. */
export function shortenLog(file: string, bytesMax: number): void {
  const log = openLog(file);
  if (fs.fstatSync(log).size > bytesMax) fs.ftruncateSync(log);
  fs.closeSync(log);
}

/** Opens a log file to append to it. */
export function openLog(file: string): number {
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  return fs.openSync(file, O_APPEND | O_CREAT | O_WRONLY | noFollow, 0o600);
}
