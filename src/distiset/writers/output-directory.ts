import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { codeOf, Fault, isFault, messageOf } from '../../kit/fault.ts';
import { newId } from '../../kit/ids.ts';
import { sha256 } from '../../kit/sha256.ts';

/** A directory that appears complete or not at all. It is written next to its target, under a name with the host and process id, and then renamed. */
export interface OutputDirectory {
  /** The directory to write to. */
  readonly temporary: string;
  /** Renames the directory to its target, after everything in it is flushed to disk. */
  publish(): void;
  /** Removes the directory. */
  abandon(): void;
}

/** Begins a directory at `target`. Throws `Fault('output-exists')`, `Fault('output-unwritable')`. */
export function beginDirectory(target: string): OutputDirectory {
  const parent = path.dirname(path.resolve(target));
  const name = path.basename(path.resolve(target));
  const refuseTarget = () => {
    const stat = fs.lstatSync(path.resolve(target), { throwIfNoEntry: false });
    if (!stat) return;
    const what = stat.isDirectory() ? 'exists already' : 'is a file';
    throw new Fault('output-exists', `${target} ${what}, and an export overwrites nothing. Choose another --out, or remove it.`, {
      details: { path: target },
    });
  };
  const temporary = path.join(parent, `.${name}.${hostMark()}-${process.pid}-${newId().slice(0, 8)}.tmp`);
  try {
    refuseTarget();
    removeLeftOvers(parent, name);
    fs.mkdirSync(temporary);
  } catch (error) {
    if (isFault(error)) throw error;
    const why = reasons[codeOf(error) ?? '']?.(parent) ?? messageOf(error);
    throw new Fault('output-unwritable', `Cannot write to ${target}: ${why}. Choose another --out.`, {
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

const reasons: Readonly<Record<string, (parent: string) => string>> = {
  ENOENT: (parent) => `the folder ${parent} does not exist`,
  ENOTDIR: (parent) => `${parent} is a file`,
  EACCES: (parent) => `the folder ${parent} is not writable for this user`,
  EROFS: (parent) => `the folder ${parent} is on a read-only disk`,
  ENAMETOOLONG: () => 'its name is too long',
};

/** Converts the error of a full or failing disk to a fault. Returns other errors unchanged. */
export const writeFault = (error: unknown, target: string): unknown => {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault(
      'disk-full',
      `The disk is full. ${target} was not written, and its files were removed. Free some space, or choose another --out.`,
      { cause: error },
    );
  }
  if (code === 'EIO' || code === 'EROFS' || code === 'EACCES' || code === 'EFBIG') {
    return new Fault('write-failed', `${target} was not written, and its files were removed: ${messageOf(error)}.`, { cause: error });
  }
  return error;
};

/** Removes leftovers of killed exports to this target, on this host only: exports of other hosts to a shared disk may still be running. */
function removeLeftOvers(parent: string, name: string): void {
  const pattern = /^\.(.*)\.([0-9a-f]{8})-(\d+)-[a-z0-9]+\.tmp$/;
  for (const entry of fs.readdirSync(parent)) {
    const [, of, host, pid] = pattern.exec(entry) ?? [];
    if (of !== name || host !== hostMark()) continue;
    const leftOver = path.join(parent, entry);
    const isInUse = Number(pid) === process.pid ? isOfThisProcess(leftOver) : isAlive(Number(pid));
    if (!isInUse) fs.rmSync(leftOver, { recursive: true, force: true });
  }
}

const hostMark = (): string => sha256(os.hostname()).slice(0, 8);

/** Returns whether this process wrote a folder. In a container an earlier process may have had the same id, but it wrote nothing after this one started. */
const isOfThisProcess = (folder: string): boolean => {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs >= performance.timeOrigin - clockSlackMs;
};

const clockSlackMs = 1_000;

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
  // Windows cannot open folders.
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}
