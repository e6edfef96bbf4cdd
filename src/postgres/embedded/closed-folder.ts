import fs from 'node:fs';
import path from 'node:path';
import { isWindows } from './processes.ts';

/**
 * Closes a store's folder and its direct entries to other users. 0.1.0 left the modes that the umask gave. Skips links. Skips files that this process may
 * not change (root's files in a folder that root gave back), because their folder is closed.
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
    // Root in another user's folder: that user may create a link here at any moment. A socket cannot be opened, but its folder is closed.
    const opened = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    fs.fchmodSync(opened, mode);
    fs.closeSync(opened);
  } catch {
    // The file no longer exists, or belongs to another user.
  }
}
