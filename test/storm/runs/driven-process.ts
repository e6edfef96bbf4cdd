import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { finished, root, sourceProgram, start, type Result } from '../../e2e/command-line.ts';
import type { World } from '../../unit/engine/random-pipeline.ts';

/** The pipeline file of every storm's run. */
export const worldFile = path.join(root, 'test/storm/runs/world-child.ts');
const killPoints = path.join(root, 'test/storm/runs/kill-points-child.ts');

/** A command that drives a run. */
export interface DrivenProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly startedAt: number;
  /** The run that it drives, told once it does; undefined if it ended before. */
  readonly drives: Promise<string | undefined>;
  readonly ended: Promise<Result>;
}

export interface DriveOptions {
  readonly folder: string;
  readonly world: World;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Starts the command line as a child that takes its pipeline from a world. */
export function driveWorld(args: readonly string[], { folder, world, env }: DriveOptions): DrivenProcess {
  const child = start([...args, '--json'], {
    cwd: folder,
    // As source: so are the world and what strikes it.
    from: sourceProgram,
    flags: ['--import', killPoints],
    // Without compiling everything anew, a process is at work in half the time.
    env: { STORM_WORLD: JSON.stringify(world), NODE_COMPILE_CACHE: path.join(folder, 'compiled'), ...env },
  });
  const ended = finished(child);
  const drives = new Promise<string | undefined>((resolve) => {
    child.stdout?.once('data', (text: string) => resolve((JSON.parse(text.split('\n')[0] ?? '') as { readonly runId?: string }).runId));
    void ended.then(() => resolve(undefined));
  });
  return { pid: child.pid ?? 0, child, startedAt: Date.now(), drives, ended };
}

/** What a command that starts, resumes or retries a run of a world is called with. */
export const beginArgs = (world: World): readonly string[] => ['run', worldFile, '--seed', String(world.seed), '--no-reject-limit'];
export const againArgs = (command: 'resume' | 'retry', runId: string, ...more: readonly string[]): readonly string[] => [
  command,
  runId,
  // Named: a process may be killed between the start of its run and the record of which file it was.
  worldFile,
  '--no-reject-limit',
  ...more,
];

/** Waits for an end, for so long; throws that there was none. */
export async function inTime<T>(ended: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
