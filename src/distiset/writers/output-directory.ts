import fs from 'node:fs';
import path from 'node:path';
import { codeOf, Fault, messageOf } from '#kit/fault';
import { newId } from '#kit/ids';

/** A directory that appears whole or not at all: it is written beside its place, under a name that says whose it is, and renamed. */
export interface OutputDirectory {
  /** Where to write. */
  readonly temporary: string;
  /** Puts it in its place; everything in it is on disk then. */
  publish(): void;
  /** Leaves nothing behind. */
  abandon(): void;
}

/** Begins a directory at `target`. Throws `Fault('output-exists')`, `Fault('output-unwritable')`. */
export function beginDirectory(target: string): OutputDirectory {
  const parent = path.dirname(path.resolve(target));
  const name = path.basename(path.resolve(target));
  const refuseTarget = () => {
    const stat = fs.lstatSync(target, { throwIfNoEntry: false });
    if (!stat) return;
    const what = stat.isDirectory() ? 'exists already' : 'is a file';
    throw new Fault('output-exists', `${target} ${what}: nothing is overwritten. Name another --out, or remove it.`, {
      details: { path: target },
    });
  };
  refuseTarget();
  removeLeftOvers(parent, name);
  const temporary = path.join(parent, `.${name}.${process.pid}-${newId().slice(0, 8)}.tmp`);
  try {
    fs.mkdirSync(temporary);
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? `the folder ${parent} does not exist` : messageOf(error);
    throw new Fault('output-unwritable', `Nothing can be written to ${target}: ${why}. Name another --out.`, {
      details: { path: target },
      cause: error,
    });
  }
  return {
    temporary,
    publish: () => {
      syncFolders(temporary);
      refuseTarget();
      fs.renameSync(temporary, target);
      syncFolder(parent);
    },
    abandon: () => fs.rmSync(temporary, { recursive: true, force: true }),
  };
}

/** What a full disk, or one that fails, is called. */
export const writeFault = (error: unknown, target: string): unknown => {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault(
      'disk-full',
      `The disk is full: ${target} was not written, and nothing of it is left. Free some space, or name another --out.`,
      { cause: error },
    );
  }
  if (code === 'EIO' || code === 'EROFS' || code === 'EACCES' || code === 'EFBIG') {
    return new Fault('write-failed', `${target} was not written, and nothing of it is left: ${messageOf(error)}.`, { cause: error });
  }
  return error;
};

/** Removes what exports to the same place left when they were killed. */
function removeLeftOvers(parent: string, name: string): void {
  const pattern = /^\.(.*)\.(\d+)-[a-z0-9]+\.tmp$/;
  for (const entry of fs.existsSync(parent) ? fs.readdirSync(parent) : []) {
    const [, of, pid] = pattern.exec(entry) ?? [];
    if (of !== name || isAlive(Number(pid))) continue;
    fs.rmSync(path.join(parent, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function syncFolders(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) syncFolders(path.join(folder, entry.name));
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}
