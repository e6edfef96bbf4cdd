import os from 'node:os';

/** The name of the user that this process runs as; a container may run as a number that no password file lists: `uid1000`. */
export function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `uid${process.getuid?.() ?? ''}`;
  }
}
