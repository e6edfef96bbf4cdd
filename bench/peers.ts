import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { hasCode } from '../src/kit/fault.ts';

/** Peers are a package of their own: what they change or need stays among them. */
const { resolve } = createRequire(new URL('peers/package.json', import.meta.url));

/** Where the main module of a peer is, or null where it is not installed. */
export function findPeer(name: string): string | null {
  try {
    return resolve(name);
  } catch (error) {
    if (hasCode(error, 'MODULE_NOT_FOUND')) return null;
    throw error;
  }
}

/** Loads a peer that is installed. What it lets out, the caller says: no types of peers are installed with us. */
export async function importPeer<Peer>(name: string): Promise<Peer> {
  return (await import(pathToFileURL(resolve(name)).href)) as Peer;
}

/** Why a contestant that needs these packages cannot be tried here; undefined if it can. */
export function missingPeers(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findPeer(name) === null);
  return missing.length > 0 ? `npm ci --prefix bench/peers (${missing.join(', ')})` : undefined;
}
