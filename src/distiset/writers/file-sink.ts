import fs from 'node:fs';
import path from 'node:path';
import { HashedFile } from './hashed-file.ts';

/** The destination of a distiset's files. Paths are relative to the distiset, with `/`. */
export interface FileSink {
  /** Creates a folder for a config and returns its name, which differs from the wanted name if that is in use. */
  makeFolder(wanted: string): string;
  open(file: string): HashedFile;
  rename(from: string, to: string): void;
  removeFolder(folder: string): void;
}

/** Creates a sink that writes files to an existing directory. */
export function diskFiles(directory: string): FileSink {
  const nameFolder = folderNames();
  return {
    makeFolder: (wanted) => {
      const folder = nameFolder(wanted);
      fs.mkdirSync(path.join(directory, folder));
      return folder;
    },
    open: (file) => new HashedFile(path.join(directory, file)),
    rename: (from, to) => fs.renameSync(path.join(directory, from), path.join(directory, to)),
    removeFolder: (folder) => fs.rmSync(path.join(directory, folder), { recursive: true, force: true }),
  };
}

/** Creates a sink that hashes files and writes nothing. `folderOf` returns the folder of a config. */
export function hashedFiles(folderOf: (wanted: string) => string = folderNames()): FileSink {
  return { makeFolder: folderOf, open: () => new HashedFile(null), rename: () => undefined, removeFolder: () => undefined };
}

/** Creates a function that chooses unique folder names. Names that differ only in case count as equal, as on some file systems, so the result is the same on every disk. */
function folderNames(): (wanted: string) => string {
  const usedNames = new Set<string>();
  return (wanted) => {
    for (let count = 1; ; count++) {
      const folder = count === 1 ? wanted : `${wanted}-${count}`;
      if (usedNames.has(folder.toLowerCase())) continue;
      usedNames.add(folder.toLowerCase());
      return folder;
    }
  };
}
