import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { heapFlags } from '../src/cli/frugal-heap.ts';

/** Result of a program that does a contestant's work. The program prints it as JSON on its last line. */
export interface Measurement {
  /** Number of output rows, or of calls. */
  readonly rows: number;
  /** Duration of the work, without starting the program. */
  readonly seconds: number;
  readonly peakMb: number;
}

/** Runs a program of distilog in a process of its own, with the heap options that the command line sets for `command`. */
export const ownProcess = <T extends Measurement = Measurement>(
  command: 'run' | 'distiset',
  program: URL,
  args: readonly (string | number)[],
): Promise<T> => runMeasured<T>(process.execPath, [...heapFlags(command), '--no-warnings', fileURLToPath(program), ...args.map(String)]);

/** Runs a program of another contestant, with Node's default options. */
export const plainProcess = <T extends Measurement = Measurement>(program: URL, args: readonly (string | number)[]): Promise<T> =>
  runMeasured<T>(process.execPath, ['--no-warnings', fileURLToPath(program), ...args.map(String)]);

/** Runs a program and returns its measurement. */
export async function runMeasured<T extends Measurement = Measurement>(
  command: string,
  args: readonly string[],
  environment = process.env,
): Promise<T> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0 || !last.startsWith('{')) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}: ${last}\n${errors}`);
  return JSON.parse(last) as T;
}

/** Measures `work` in this process, and prints the measurement. */
export async function printMeasurement(work: () => Promise<number>, more: Readonly<Record<string, number>> = {}): Promise<void> {
  const started = performance.now();
  const rows = await work();
  const seconds = (performance.now() - started) / 1000;
  const measured: Measurement = { rows, seconds, peakMb: Math.round(process.resourceUsage().maxRSS / 1024), ...more };
  console.log(JSON.stringify(measured));
}
