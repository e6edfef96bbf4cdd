import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { hasCode } from '../src/kit/fault.ts';

/** Resolves modules in the package of the peers, which has its own dependencies. */
const { resolve } = createRequire(new URL('peers/package.json', import.meta.url));

/** Returns the path of a peer's main module, or null if it is not installed. */
export function findPeer(name: string): string | null {
  try {
    return resolve(name);
  } catch (error) {
    if (hasCode(error, 'MODULE_NOT_FOUND')) return null;
    throw error;
  }
}

/** Loads an installed peer. The caller names its type, because the peers' types are not installed. */
export async function importPeer<Peer>(name: string): Promise<Peer> {
  return (await import(pathToFileURL(resolve(name)).href)) as Peer;
}

/** Returns the command that installs the missing ones of these packages, or undefined if none is missing. */
export function missingPeers(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findPeer(name) === null);
  return missing.length > 0 ? `npm ci --prefix bench/peers (${missing.join(', ')})` : undefined;
}
