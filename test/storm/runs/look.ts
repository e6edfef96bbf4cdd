import { createDistiset } from '../../../src/distiset/index.ts';
import { canonicalJson } from '../../../src/kit/json.ts';
import { sha256, sha256Stream } from '../../../src/kit/sha256.ts';
import { foldAt, resolveAsOf, runLogId, type Foldable, type Store } from '../../../src/log/index.ts';
import { projections } from '../../../projections/index.ts';

/** Every fold that is stored in snapshots. */
export const folds: readonly Foldable<unknown>[] = projections;

/** A digest of a run as of a position, to compare it with later. */
export interface Look {
  readonly position: number;
  /** The hash that covers everything up to the position, and the position's time. */
  readonly hash: string;
  readonly recordedAt: string;
  /** The SHA-256 of each projection's state. */
  readonly states: Readonly<Record<string, string>>;
  readonly configs: readonly ConfigLook[];
}

/** A config's name, how many rows it has, and their SHA-256. */
export type ConfigLook = readonly [name: string, rows: number, rowsSha256: string];

/** Digests every state and every row of a run, as of a position or, without one, its head. */
export async function lookAt(store: Store, runId: string, position?: number): Promise<Look> {
  const asOf = await resolveAsOf(store.log, runLogId(runId), position === undefined ? { kind: 'head' } : { kind: 'position', position });
  const states = await statesAt(store, runId, asOf.position, folds);
  const configs: ConfigLook[] = [];
  for (const config of (await createDistiset(store, runId, { asOf })).configs) {
    const digest = sha256Stream();
    let rows = 0;
    for await (const row of config.rows()) {
      rows++;
      digest.update(canonicalJson(row)).update('\n');
    }
    configs.push([config.name, rows, digest.digest('hex')]);
  }
  return { ...asOf, states, configs };
}

/** Returns the SHA-256 of each fold's state as of a position. */
export async function statesAt(store: Store, runId: string, position: number, by: readonly Foldable<unknown>[]): Promise<Look['states']> {
  const states: Record<string, string> = {};
  for (const fold of by) states[fold.name] = sha256(canonicalJson(await foldAt(store, fold, runLogId(runId), position)));
  return states;
}
