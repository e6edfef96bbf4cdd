import os from 'node:os';
import type { Actor } from '#schema';
import { userName } from '#kit/user-name';

/** This process and whose it is. */
export const thisActor = (): Actor => ({ user: userName(), host: os.hostname(), pid: process.pid });
