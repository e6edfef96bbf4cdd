import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { heapFlags } from '../src/cli/frugal-heap.ts';

/** What every program that does a contestant's work tells, as JSON on its last line. */
export interface Told {
  /** Rows, or calls, that came out. */
  readonly rows: number;
  /** Of the work alone, without starting the program. */
  readonly seconds: number;
  readonly peakMb: number;
}

/** Runs one of our programs in a process of its own, so that its memory is its own, with the heap that the command line gives itself for a command. */
export const ownProcess = <T extends Told = Told>(
  command: 'run' | 'distiset',
  program: URL,
  args: readonly (string | number)[],
): Promise<T> => told<T>(process.execPath, [...heapFlags(command), '--no-warnings', fileURLToPath(program), ...args.map(String)]);

/** Runs somebody else's program on Node as it comes. */
export const plainProcess = <T extends Told = Told>(program: URL, args: readonly (string | number)[]): Promise<T> =>
  told<T>(process.execPath, ['--no-warnings', fileURLToPath(program), ...args.map(String)]);

/** Runs a program, and reads what it tells. */
export async function told<T extends Told = Told>(command: string, args: readonly string[], environment = process.env): Promise<T> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0 || !last.startsWith('{'))
    throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}: ${last}\n${complaints}`);
  return JSON.parse(last) as T;
}

/** Measures the work of the program that calls it, and tells. */
export async function tell(work: () => Promise<number>, more: Readonly<Record<string, number>> = {}): Promise<void> {
  const started = performance.now();
  const rows = await work();
  const seconds = (performance.now() - started) / 1000;
  const measured: Told = { rows, seconds, peakMb: Math.round(process.resourceUsage().maxRSS / 1024), ...more };
  console.log(JSON.stringify(measured));
}
