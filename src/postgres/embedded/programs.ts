import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { RunAs } from './binaries.ts';

/** Starts PostgreSQL's programs as the right user, with an environment that contains only our own variables. */
export interface Programs {
  readonly as: RunAs;
  start(
    file: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly stdio: StdioOptions; readonly as?: RunAs | undefined },
  ): ChildProcess;
}

/** Returns a starter for programs that load their libraries from `libraries`. */
export function createPrograms(as: RunAs, libraries: string): Programs {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries, SystemRoot: process.env['SystemRoot'] };
  return {
    as,
    start: (file, args, { cwd, stdio, as: other = as }) => spawn(file, [...args], { ...other, cwd, env, stdio, windowsHide: true }),
  };
}

/** Waits for a program to end and returns its exit code: -1 if it could not be started, null if a signal ended it. */
export const waitForExit = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('exit', resolve).once('error', (error) => {
      console.error(error);
      resolve(-1);
    });
  });
