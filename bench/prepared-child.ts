import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A contestant's own process, ready to start. Everything that it loads, leaks or leaves running ends with it. */
export interface Child<Result> {
  /** Starts the work, and returns its result once the process has ended. */
  readonly work: () => Promise<Result>;
}

/** Time after which a process that hangs is killed. */
const childMaxMs = 300_000;

/** Starts a program that calls `serve`, and waits until it is ready. */
export async function startChild<Result>(program: URL, task: unknown): Promise<Child<Result>> {
  const child = fork(fileURLToPath(program), [JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Hides deprecation warnings about the peers' code.
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    timeout: childMaxMs,
    killSignal: 'SIGKILL',
  });
  const gone = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const died = gone.then(([code, signal]) => {
      throw new Error(`The process of ${JSON.stringify(task)} ended with ${String(signal ?? code)}.`);
    });
    const [message] = (await Promise.race([once(child, 'message'), died])) as readonly unknown[];
    return message;
  };
  await next();
  return {
    work: async () => {
      const answer = next();
      child.send('work');
      const result = (await answer) as Result;
      await gone;
      return result;
    },
  };
}

/** The prepared work of a child process. Only `work` is measured, not the preparation before it or `close`. */
export interface Service<Result> {
  readonly work: () => Promise<Result>;
  readonly close: () => Promise<void>;
}

/** Serves `startChild` in the child process. */
export async function serve<Result>(prepare: (task: unknown) => Promise<Service<Result>>): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  const { work, close } = await prepare(JSON.parse(process.argv[2] ?? ''));
  process.send?.('ready');
  await once(process, 'message');
  const result = await work();
  await close();
  // Some peers never close their connections, so the process exits.
  process.send?.(result, () => process.exit(0));
}
