import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../kit/fault.ts';

/** A file that a source reads. */
export interface SourceFile {
  /** The name for messages and the log: the given path, or the path relative to the working directory. */
  readonly name: string;
  readonly full: string;
}

/** Resolves a path (relative to the working directory) or a `file:` URL. Throws `Fault('source-unreadable')` if it does not name a file. */
export function resolveSourceFile(given: string | URL): SourceFile {
  if (given instanceof URL) {
    if (given.protocol !== 'file:') throw notOnDisk(given.href);
    const full = fileURLToPath(given);
    const relative = path.relative(process.cwd(), full);
    return { name: relative.startsWith('..') || path.isAbsolute(relative) ? full : relative, full };
  }
  if (typeof given !== 'string' || given === '' || given.includes('\0'))
    throw new Fault(
      'source-unreadable',
      `${JSON.stringify(given)} does not name a file. Use a path, or new URL('./rows.csv', import.meta.url).`,
    );
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(given)) throw notOnDisk(given);
  return { name: given, full: path.resolve(given) };
}

const notOnDisk = (url: string) =>
  new Fault('source-unreadable', `${url} is not a file on this machine. Download it first, then use its path.`);
