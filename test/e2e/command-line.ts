import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the project is. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
/** The command line as it was built, which starts in half the time that its source takes. */
export const program = path.join(root, 'dist/src/cli/bin.js');
/** The command line's source, for pipelines that import the source themselves. */
export const sourceProgram = path.join(root, 'src/cli/bin.ts');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user at another machine, as far as this machine can simulate one: a user and a host name of their own, where root may give them. */
export interface Person {
  readonly user: string;
  readonly uid: number;
  readonly host: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly as?: Person | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Flags of Node. */
  readonly flags?: readonly string[];
  /** The command line: as it was built, or its source. */
  readonly from?: string;
}

/** Stores that commands in a folder use, by folder. In other folders they have an embedded one of their own. */
export const storeUrls = new Map<string, string>();

/** Returns the environment of a process that a user starts in `cwd`, apart from this one's own. */
export const environmentIn = (cwd: string): NodeJS.ProcessEnv => ({
  ...process.env,
  DATABASE_URL: '',
  DISTILOG_STORE: storeUrls.get(cwd) ?? '',
  NO_COLOR: '1',
  NODE_OPTIONS: '',
  VITEST: '',
});

/** Starts the command line in a process group of its own. */
export function start(args: readonly string[], { cwd, as, env = {}, flags = [], from = program }: CommandOptions): ChildProcess {
  const [file = '', ...words] = [...asPerson(as), process.execPath, '--no-warnings', ...flags, from, ...args];
  return spawn(file, words, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environmentIn(cwd), ...env },
  });
}

/** Whether this process may run others as other people. */
export const canPlayOthers =
  process.getuid?.() === 0 && spawnSync('unshare', ['--uts', 'setpriv', '--reuid', '1', '--clear-groups', 'hostname']).status === 0;

const asPerson = (person: Person | undefined): readonly string[] =>
  person && canPlayOthers
    ? ['unshare', '--uts', 'sh', '-c', `hostname ${person.host} && exec setpriv --reuid ${person.uid} --clear-groups "$@"`, 'sh']
    : [];

/** Runs the command line to its end. */
export async function distilog(args: readonly string[], options: CommandOptions): Promise<Result> {
  return finished(start(args, options));
}

/** What a command wrote and how it ended. */
export function finished(child: ChildProcess): Promise<Result> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The JSON that a command printed; fails with what it said instead. */
export async function json<T>(args: readonly string[], options: CommandOptions): Promise<T> {
  const { code, stdout, stderr } = await distilog([...args, '--json'], options);
  if (!stdout.trim()) throw new Error(`distilog ${args.join(' ')} ended with ${code} and printed nothing: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

/** Kills a command and everything it started, at once. */
export function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    // It has ended.
  }
}
