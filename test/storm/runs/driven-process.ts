import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { finished, root, sourceProgram, start, type Result } from '../../e2e/command-line.ts';
import type { World } from '../../unit/engine/random-pipeline.ts';

/** The pipeline file of every run of a storm. */
export const worldFile = path.join(root, 'test/storm/runs/world-child.ts');
const killPoints = path.join(root, 'test/storm/runs/kill-points-child.ts');

/** A command that drives a run. */
export interface DrivenProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly startedAt: number;
  /** Resolves with the run once the process drives it, or with undefined if the process ended first. */
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
    // Runs the command line from source, like the world and the kill points.
    from: sourceProgram,
    flags: ['--import', killPoints],
    // With a compile cache a process starts in half the time.
    env: { STORM_WORLD: JSON.stringify(world), NODE_COMPILE_CACHE: path.join(folder, 'compiled'), ...env },
  });
  const ended = finished(child);
  const drives = new Promise<string | undefined>((resolve) => {
    child.stdout?.once('data', (text: string) => resolve((JSON.parse(text.split('\n')[0] ?? '') as { readonly runId?: string }).runId));
    void ended.then(() => resolve(undefined));
  });
  return { pid: child.pid ?? 0, child, startedAt: Date.now(), drives, ended };
}

/** Returns the arguments of the command that starts a run of a world. */
export const beginArgs = (world: World): readonly string[] => ['run', worldFile, '--seed', String(world.seed), '--no-reject-limit'];
/** Returns the arguments of the command that resumes or retries a run. */
export const againArgs = (command: 'resume' | 'retry', runId: string, ...more: readonly string[]): readonly string[] => [
  command,
  runId,
  // The file is named, because a process may be killed between the start of its run and the record of its file.
  worldFile,
  '--no-reject-limit',
  ...more,
];

/** Waits for `ended`, and throws if that takes longer than `timeoutMs`. */
export async function inTime<T>(ended: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
