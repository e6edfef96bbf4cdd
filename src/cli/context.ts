import { openStore, type PostgresStore, type StoreOptions } from '../postgres/index.ts';
import { noteWriter, type Terminal } from './terminal.ts';

/** Options that every command has. */
export interface CommonOptions {
  readonly store?: string | undefined;
  readonly json?: boolean | undefined;
}

/** What commands work with; made once by `main`. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Ends the process with this code when everything is closed. The first that is not 0 counts. */
  readonly exit: (code: number) => void;
  /** Called on Ctrl-C and SIGTERM instead of ending the process, while set: the argument counts the signals. */
  readonly onInterrupt: (handler: ((count: number) => void) | null) => void;
  /** Lets the process go on when standard output can be written no more, for the work is worth more than what is said of it. Otherwise it ends then. */
  readonly goOnWithoutOutput: () => void;
}

/** Returns whether a command may ask its user something: a person reads what it prints, and can answer. */
export const mayAsk = ({ isInteractive }: Terminal, { json }: CommonOptions): boolean => isInteractive && process.stdin.isTTY && !json;

/** Returns where a command's store is: what its options or the environment name, else this folder's own. */
export const storeOptions = ({ store }: CommonOptions): StoreOptions => ({
  store,
  folder: process.cwd(),
  notify: (sentence) => noteWriter()(sentence),
});

/** Opens the store that options and environment name, lets a command work with it, and closes it whatever happens. */
export async function withStore<T>(options: CommonOptions, work: (store: PostgresStore) => Promise<T>): Promise<T> {
  const store = await openStore(storeOptions(options));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
