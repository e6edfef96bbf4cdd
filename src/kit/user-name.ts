import os from 'node:os';

/** Returns the name of the user that this process runs as. For a user without an entry in the password file, as in a container: `uid1000`. */
export function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `uid${process.getuid?.() ?? ''}`;
  }
}
