import fs from 'node:fs';
import path from 'node:path';
import { Fault, messageOf } from '../../kit/fault.ts';
import { closeFolder } from './closed-folder.ts';
import { refusePlantedLink } from './planted-links.ts';
import { admitStore } from './trust.ts';

/** Longest path of a store. SQLite, whose lock is used, cannot open paths longer than 512 bytes. */
const pathBytesMax = 480;

/** Returns the path of a folder's store. Throws `Fault('embedded-failed')` for a folder that cannot be opened. */
export function homeIn(folder: string): string {
  try {
    return path.join(fs.realpathSync(folder), '.distilog');
  } catch (error) {
    throw new Fault('embedded-failed', `The folder ${folder} cannot be opened: ${messageOf(error)}.`, { cause: error });
  }
}

/**
 * Returns the path of a folder's store, and creates it if it is missing. Other users have no access to it. Throws `Fault('embedded-failed')` for a
 * path that cannot be used, and the faults of `admitStore`.
 */
export function createHome(folder: string, notify: (sentence: string) => void): string {
  const home = homeIn(folder);
  if (Buffer.byteLength(home) > pathBytesMax) {
    throw new Fault(
      'embedded-failed',
      `The path of ${home} is too long for an embedded store. Work in a folder with a shorter path, or name a server with --store.`,
    );
  }
  refusePlantedLink(home);
  try {
    fs.mkdirSync(home, { recursive: true, mode: 0o700 });
    fs.accessSync(home, fs.constants.W_OK);
  } catch (error) {
    throw unwritableFault(home, error);
  }
  try {
    admitStore(home, notify);
  } catch (error) {
    removeEmpty(home);
    throw error;
  }
  closeFolder(home);
  return home;
}

function removeEmpty(home: string): void {
  try {
    fs.rmdirSync(home);
  } catch {
    // It is not empty.
  }
}

/** Returns the fault for a file of the store that cannot be written. */
export const unwritableFault = (file: string, error: unknown): Fault =>
  new Fault(
    'embedded-failed',
    `The store's ${file} cannot be written: ${messageOf(error)}. Work in another folder, or name a server with --store.`,
    { cause: error },
  );
