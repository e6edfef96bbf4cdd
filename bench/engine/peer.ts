import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url));

/** Why a package of bench/peers cannot be tried here, if it cannot. */
export function peerMissing(name: string): string | undefined {
  try {
    requirePeer.resolve(name);
    return undefined;
  } catch {
    return `bench/peers has no ${name} installed`;
  }
}

/** Loads a package of bench/peers. */
export const loadPeer = (name: string): Promise<unknown> => import(pathToFileURL(requirePeer.resolve(name)).href);
