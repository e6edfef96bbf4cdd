import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { RunAs } from './binaries.ts';

/** Starts PostgreSQL's programs: as the right user, with an environment of ours alone. */
export interface Programs {
  readonly as: RunAs;
  start(
    file: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly stdio: StdioOptions; readonly as?: RunAs | undefined },
  ): ChildProcess;
}

/** Programs that find their libraries under `libraries`. */
export function programs(as: RunAs, libraries: string): Programs {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries, SystemRoot: process.env['SystemRoot'] };
  return {
    as,
    start: (file, args, { cwd, stdio, as: other = as }) => spawn(file, [...args], { ...other, cwd, env, stdio, windowsHide: true }),
  };
}

/** A program's exit code; -1 if it could not be started, null if a signal ended it. */
export const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('exit', resolve).once('error', (error) => {
      console.error(error);
      resolve(-1);
    });
  });
