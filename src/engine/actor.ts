import os from 'node:os';
import type { Actor } from '../../schema/index.ts';
import { userName } from '../kit/user-name.ts';

/** Returns this process and its user. */
export const thisActor = (): Actor => ({ user: userName(), host: os.hostname(), pid: process.pid });
