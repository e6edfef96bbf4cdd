import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A contestant's own process, ready to begin: what it loads, leaks or leaves running ends with it. */
export interface Child<Result> {
  /** Lets it do its work, and returns what it says when the process is gone. */
  readonly go: () => Promise<Result>;
}

/** After which a process that hangs is ended. */
const childMaxMs = 300_000;

/** Starts a program that calls `serve`, and waits until it is ready. */
export async function startChild<Result>(program: URL, task: unknown): Promise<Child<Result>> {
  const child = fork(fileURLToPath(program), [JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Peers are told by others what of theirs is deprecated.
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    timeout: childMaxMs,
    killSignal: 'SIGKILL',
  });
  const gone = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const died = gone.then(([code, signal]) => {
      throw new Error(`a process of ${JSON.stringify(task)} ended with ${String(signal ?? code)}`);
    });
    const [message] = (await Promise.race([once(child, 'message'), died])) as readonly unknown[];
    return message;
  };
  await next();
  return {
    go: async () => {
      const answer = next();
      child.send('go');
      const result = (await answer) as Result;
      await gone;
      return result;
    },
  };
}

/** What a program does for the process that started it: prepares, which is not measured; then works, which is; then tidies up. */
export interface Service<Result> {
  readonly work: () => Promise<Result>;
  readonly close: () => Promise<void>;
}

/** The child's side of `startChild`. */
export async function serve<Result>(prepare: (task: unknown) => Promise<Service<Result>>): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  const { work, close } = await prepare(JSON.parse(process.argv[2] ?? ''));
  process.send?.('ready');
  await once(process, 'message');
  const result = await work();
  await close();
  // Some peers keep connections for as long as the process lives.
  process.send?.(result, () => process.exit(0));
}
