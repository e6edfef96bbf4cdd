import fs from 'node:fs';
import path from 'node:path';
import { codeOf, Fault, messageOf } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';

/** Characters that are written in one call. */
const writtenAtOnce = 256 * 1024;

/**
 * Writes lines to a file atomically: to a temporary file in the same folder, which is synced and then renamed. Overwrites nothing. Returns the number of
 * lines. Throws `Fault('output-exists')`, `Fault('output-unwritable')`, `Fault('disk-full')`.
 */
export async function writeWholeFile(target: string, option: string, lines: AsyncIterable<string>): Promise<number> {
  const full = path.resolve(target);
  const temporary = path.join(path.dirname(full), `.${path.basename(full)}.${newId().slice(0, 8)}.tmp`);
  const remove = () => fs.rmSync(temporary, { force: true });
  refuseExisting(target, option);
  try {
    const descriptor = fs.openSync(temporary, 'wx', 0o644);
    process.once('exit', remove);
    const count = await writeLines(descriptor, lines);
    // Linking fails if the target was created meanwhile. A file system without links needs the weaker check before the rename.
    try {
      fs.linkSync(temporary, full);
    } catch (error) {
      if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOSPC') throw error;
      refuseExisting(target, option);
      fs.renameSync(temporary, full);
    }
    syncFolder(path.dirname(full));
    return count;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') refuseExisting(target, option);
    throw fileFault(error, target, option);
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

async function writeLines(descriptor: number, lines: AsyncIterable<string>): Promise<number> {
  let text = '';
  let count = 0;
  try {
    for await (const line of lines) {
      text += `${line}\n`;
      count++;
      if (text.length < writtenAtOnce) continue;
      fs.writeFileSync(descriptor, text);
      text = '';
    }
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  return count;
}

function syncFolder(folder: string): void {
  // Windows cannot open folders.
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}

function refuseExisting(target: string, option: string): void {
  const stat = fs.lstatSync(path.resolve(target), { throwIfNoEntry: false });
  if (!stat) return;
  const what = stat.isDirectory() ? 'is a folder' : 'exists already and was not overwritten';
  throw new Fault('output-exists', `${target} ${what}. Give another ${option}${stat.isDirectory() ? '' : ', or remove the file'}.`, {
    details: { path: target },
  });
}

const reasons: Readonly<Record<string, (folder: string) => string>> = {
  ENOENT: (folder) => `the folder ${folder} does not exist`,
  ENOTDIR: (folder) => `${folder} is a file`,
  EACCES: (folder) => `this user cannot write to the folder ${folder}`,
  EROFS: (folder) => `the folder ${folder} is on a read-only disk`,
  ENAMETOOLONG: () => 'its name is too long',
};

function fileFault(error: unknown, target: string, option: string): unknown {
  const code = codeOf(error) ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Fault('disk-full', `The disk is full, so ${target} was not written. Free some space, or give another ${option}.`, {
      cause: error,
    });
  const why = reasons[code]?.(path.dirname(path.resolve(target)));
  if (why === undefined)
    return code === 'EIO' ? new Fault('write-failed', `${target} was not written: ${messageOf(error)}.`, { cause: error }) : error;
  return new Fault('output-unwritable', `${target} cannot be written: ${why}. Give another ${option}.`, {
    details: { path: target },
    cause: error,
  });
}
