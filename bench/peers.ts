import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hasCode } from '#kit/fault';

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

/** absurd's tables and functions come with its own tool, from another registry. */
const python = fileURLToPath(new URL('peers/python', import.meta.url));
const printSql = 'import absurdctl; print(absurdctl.BUNDLED_SCHEMA_SQL)';

/** The SQL that absurd has to find in its database. */
export function absurdSql(): string {
  const { stdout, error } = spawnSync('python3', ['-c', printSql], { env: { ...process.env, PYTHONPATH: python }, encoding: 'utf8' });
  if (error) throw error;
  return stdout;
}

/** Why there is no such SQL here; undefined if there is. */
export function missingAbsurdSql(): string | undefined {
  return existsSync(python) ? undefined : 'pip install --no-deps --target bench/peers/python absurdctl==0.5.0';
}
