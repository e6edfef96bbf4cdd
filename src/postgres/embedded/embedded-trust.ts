import path from 'node:path';
import { homeIn } from './home.ts';
import { trustOf, trustStore, type Trust } from './trust.ts';

/** Returns whether this user trusts a folder's store. Changes nothing. */
export const embeddedTrust = (folder: string): Trust => trustOf(homeIn(folder));

/** Records that this user trusts a folder's store with all that it holds, and returns its path. Throws `Fault('no-such-store')`, `Fault('state-unusable')`. */
export function trustEmbeddedStore(folder: string): string {
  const named = homeIn(folder);
  // Users also name the store's own folder instead of its parent.
  const home = path.basename(path.dirname(named)) === path.basename(named) ? path.dirname(named) : named;
  trustStore(home);
  return home;
}
