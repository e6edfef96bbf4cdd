import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../kit/sha256.ts';
import { makeStateFolder, readStateFile, writeStateFile } from '../kit/state-directory.ts';
import { runLogId, type Store } from '../log/index.ts';
import { readLocalSources, type HashedSource } from './local-sources.ts';

/** Runs whose files are remembered. The files of older runs have to be named again. */
const runsMax = 1_000;
const folder = 'runs';

const knownFileSchema = z.object({
  /** For people who read the file. Only the file's name identifies the run. */
  run: z.string(),
  /** Absolute. */
  file: z.string(),
  sources: z.array(z.object({ path: z.string(), sha256: z.string() })),
});

/** A pipeline file from which this user started or resumed a run on this machine, with the hashes of its local sources at that time. */
export type KnownFile = z.infer<typeof knownFileSchema>;

/**
 * Records in the user's state directory that this user drives a run with a file. The run is identified by its id and the hash of its start, because another
 * store may hold a run with the same id. Throws `Fault('state-unusable')`.
 */
export async function rememberFile(store: Store, runId: string, file: string, sources: readonly HashedSource[]): Promise<void> {
  const name = await nameOf(store, runId);
  if (name === null) return;
  const known: KnownFile = {
    run: runId,
    file: path.resolve(file),
    sources: sources.map(({ path: source, sha256: hash }) => ({ path: source, sha256: hash })),
  };
  writeStateFile([folder, name], `${JSON.stringify(known)}\n`);
  forgetOldest();
}

/** Returns the file from which this user last drove a run, or null. Also returns null if the state directory cannot be read. */
export async function readKnownFile(store: Store, runId: string): Promise<KnownFile | null> {
  const name = await nameOf(store, runId);
  if (name === null) return null;
  try {
    const text = readStateFile([folder, name]);
    return text === null ? null : knownFileSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Returns the paths of a known file's local sources, relative to its folder, that are new, missing or changed. Loads nothing. */
export function findChangedSources({ file, sources }: KnownFile): readonly string[] {
  const before = new Map(sources.map(({ path: source, sha256: hash }) => [source, hash]));
  const names = new Set([...before.keys(), ...(fs.existsSync(file) ? readLocalSources(file).map(({ path: source }) => source) : [])]);
  return [...names].filter((name) => hashOf(path.join(path.dirname(file), name)) !== before.get(name)).sort();
}

function hashOf(file: string): string | null {
  try {
    return sha256(fs.readFileSync(file));
  } catch {
    return null;
  }
}

/** Derives the name from hashes only, because a store may hold any text as a run's id. */
async function nameOf({ log }: Store, runId: string): Promise<string | null> {
  const started = await log.asOf(runLogId(runId), 1);
  return started && `${sha256(`${runId}\n${started.hash}`)}.json`;
}

function forgetOldest(): void {
  const directory = makeStateFolder([folder]);
  const names = fs.readdirSync(directory);
  if (names.length <= runsMax) return;
  const ages = names.map((name) => [name, fs.statSync(path.join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0] as const);
  for (const [name] of ages.toSorted(([, a], [, b]) => b - a).slice(runsMax)) fs.rmSync(path.join(directory, name), { force: true });
}
