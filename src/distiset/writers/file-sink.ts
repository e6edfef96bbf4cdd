import fs from 'node:fs';
import path from 'node:path';
import { HashedFile } from './hashed-file.ts';

/** Where the files of a distiset go. Paths are relative to the distiset, with `/`. */
export interface FileSink {
  /** Makes a folder for a config and returns its name, which is another one where the wanted name is in use. */
  makeFolder(wanted: string): string;
  open(file: string): HashedFile;
  rename(from: string, to: string): void;
  removeFolder(folder: string): void;
}

/** Writes files to a directory that exists. */
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

/** Hashes files and writes nothing. `folderOf` may name the folder of a config. */
export function hashedFiles(folderOf: (wanted: string) => string = folderNames()): FileSink {
  return { makeFolder: folderOf, open: () => new HashedFile(null), rename: () => undefined, removeFolder: () => undefined };
}

/** Names folders: `data` may be asked for twice, and some file systems take `A` and `a` for one. The names are the same on every disk. */
function folderNames(): (wanted: string) => string {
  const taken = new Set<string>();
  return (wanted) => {
    for (let count = 1; ; count++) {
      const folder = count === 1 ? wanted : `${wanted}-${count}`;
      if (taken.has(folder.toLowerCase())) continue;
      taken.add(folder.toLowerCase());
      return folder;
    }
  };
}
