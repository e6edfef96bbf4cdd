import { AsyncLocalStorage } from 'node:async_hooks';

/** Receives errors that no call awaits: rejections of promises, and throws in timers and event handlers. */
export interface ErrorScope {
  capture(thrown: unknown): void;
}

const scopes = new AsyncLocalStorage<ErrorScope | undefined>();
let watchers = 0;

/** Returns whether this process passes unawaited errors to their scopes. If not, scopes cost nothing. */
export const areScopesWatched = (): boolean => watchers > 0;

/** Declares that the caller passes unawaited errors to their scopes from now on. Returns a function that ends this. */
export function watchScopes(): () => void {
  watchers++;
  return () => {
    watchers--;
  };
}

/** Returns the scope of the running code. In a process's handler of unawaited errors, that is the scope of the code that threw. */
export const currentScope = (): ErrorScope | undefined => scopes.getStore();

/** Calls a function in a scope. Errors of anything that it starts and does not await go to that scope. */
export const inScope = <T>(scope: ErrorScope, call: () => T): T => (watchers > 0 ? scopes.run(scope, call) : call());
