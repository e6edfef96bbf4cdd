import fs from 'node:fs';
import path from 'node:path';
import { isWindows } from './processes.ts';

/**
 * Closes a store's folder to other users: the folder and what is directly in it. 0.1.0 left what the umask gave. Links are left alone. A file that this
 * process may not change (root's, in a folder that root gave back) is in a folder that is closed.
 */
export function closeFolder(home: string): void {
  if (isWindows) return;
  close(home);
  for (const name of fs.readdirSync(home)) close(path.join(home, name));
}

function close(file: string): void {
  try {
    const found = fs.lstatSync(file);
    const mode = found.isDirectory() ? 0o700 : 0o600;
    if (found.isSymbolicLink() || (found.mode & 0o077) === 0) return;
    if (found.uid === process.geteuid?.()) {
      fs.chmodSync(file, mode);
      return;
    }
    // Root, in another user's folder: that user may put a link here at this moment. A socket cannot be opened, and is behind a closed folder.
    const opened = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    fs.fchmodSync(opened, mode);
    fs.closeSync(opened);
  } catch {
    // It is gone, or another user's.
  }
}
