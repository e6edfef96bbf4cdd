import { AsyncLocalStorage } from 'node:async_hooks';

/** Takes in errors that no call awaited: rejections of promises that nothing held, throws in timers and event handlers. */
export interface ErrorScope {
  lose(thrown: unknown): void;
}

const scopes = new AsyncLocalStorage<ErrorScope | undefined>();
let watchers = 0;

/** Whether something in this process hands errors that nothing awaited to their scopes. Without it, scopes cost nothing. */
export const areScopesWatched = (): boolean => watchers > 0;

/** Says that errors which nothing awaited are handed to their scopes from now on. Returns what ends that. */
export function watchScopes(): () => void {
  watchers++;
  return () => {
    watchers--;
  };
}

/** The scope of the code that runs now; in a process's handler of such errors, that of the code that threw. */
export const currentScope = (): ErrorScope | undefined => scopes.getStore();

/** Calls a function in a scope: what it starts and does not await stays attributed to it. */
export const inScope = <T>(scope: ErrorScope, call: () => T): T => (watchers > 0 ? scopes.run(scope, call) : call());
