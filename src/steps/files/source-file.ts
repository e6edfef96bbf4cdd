import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../kit/fault.ts';

/** A file that a source reads. */
export interface SourceFile {
  /** As messages and the log name it: as it was given, or relative to the working directory. */
  readonly name: string;
  readonly full: string;
}

/** The file that a path (relative to the working directory) or a `file:` URL means. Throws `Fault('source-unreadable')` for what names no file. */
export function sourceFile(given: string | URL): SourceFile {
  if (given instanceof URL) {
    if (given.protocol !== 'file:') throw notOnDisk(given.href);
    const full = fileURLToPath(given);
    const relative = path.relative(process.cwd(), full);
    return { name: relative.startsWith('..') || path.isAbsolute(relative) ? full : relative, full };
  }
  if (typeof given !== 'string' || given === '' || given.includes('\0'))
    throw new Fault('source-unreadable', `${JSON.stringify(given)} names no file: give a path, or new URL('./rows.csv', import.meta.url).`);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(given)) throw notOnDisk(given);
  return { name: given, full: path.resolve(given) };
}

const notOnDisk = (url: string) =>
  new Fault('source-unreadable', `${url} is no file on this machine. Download it first, and give its path.`);
