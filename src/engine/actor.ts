import os from 'node:os';
import type { Actor } from '#schema';

/** This process and whose it is. */
export const thisActor = (): Actor => ({ user: userName(), host: os.hostname(), pid: process.pid });

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    // A container may run as a number that no password file lists.
    return `uid${process.getuid?.() ?? ''}`;
  }
}
