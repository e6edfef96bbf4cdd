import { openStore, type PostgresStore, type StoreOptions } from '../postgres/index.ts';
import { noteWriter, type Terminal } from './terminal.ts';

/** Options that all commands share. */
export interface CommonOptions {
  readonly store?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The terminal and the process that commands work with. `main` creates it once. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Sets the exit code of the process, which ends when everything is closed. The first code other than 0 counts. */
  readonly exit: (code: number) => void;
  /** Sets a handler that is called on Ctrl-C and SIGTERM instead of ending the process. Its argument counts the signals. */
  readonly onInterrupt: (handler: ((count: number) => void) | null) => void;
  /** Lets the process continue after a failed write to standard output, because a run matters more than its output. Without this call the process ends. */
  readonly goOnWithoutOutput: () => void;
}

/** Returns whether a command may ask a question: a person reads its output and can answer. */
export const mayAsk = ({ isInteractive }: Terminal, { json }: CommonOptions): boolean => isInteractive && process.stdin.isTTY && !json;

/** Returns the store of a command: the one that its options or the environment name, else this folder's embedded store. */
export const storeOptions = ({ store }: CommonOptions): StoreOptions => ({
  store,
  folder: process.cwd(),
  notify: (sentence) => noteWriter()(sentence),
});

/** Opens the store that options and environment name, runs `work` with it, and always closes it. */
export async function withStore<T>(options: CommonOptions, work: (store: PostgresStore) => Promise<T>): Promise<T> {
  const store = await openStore(storeOptions(options));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
