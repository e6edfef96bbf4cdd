import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createDistiset, writeDistiset } from '../../src/distiset/index.ts';
import { canonicalJson } from '../../src/kit/json.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { resolveAsOf, type Store } from '../../src/log/index.ts';
import { errors, fold, graph, progress, timeline, usage, type Projection } from '../../projections/index.ts';

const projections: readonly Projection<unknown>[] = [graph, progress, errors, usage, timeline];

/** Places at which a log is looked at. */
const looks = 5;

/** What must be computed of a golden log, by whatever version and store. */
export interface Expectation {
  /** The chain's last hash. */
  readonly head: string;
  /** By projection and version, then by position: the hash of the state. */
  readonly folds: Readonly<Record<string, Readonly<Record<number, string>>>>;
  readonly rows: Readonly<Record<number, Rows>>;
}

/** By config: how many rows, and the hash of their texts. */
export type Rows = Readonly<Record<string, readonly [rows: number, rowsSha256: string]>>;

/** Computes it: the states that events fold to, and the rows that an export writes. */
export async function expectationOf(store: Store, runId: string): Promise<Expectation> {
  const head = await store.log.head(runId);
  const end = head?.position ?? 0;
  const positions = Array.from({ length: looks }, (_, look) => Math.ceil((end * (look + 1)) / looks));
  const events = (await Array.fromAsync(store.log.read(runId))).flat();
  const stateAt = (of: Projection<unknown>, position: number) => sha256(canonicalJson(fold(of, events.slice(0, position))));
  return {
    head: head?.hash ?? '',
    folds: Object.fromEntries(
      projections.map((of) => [
        `${of.name}/${of.version}`,
        Object.fromEntries(positions.map((position) => [position, stateAt(of, position)])),
      ]),
    ),
    rows: Object.fromEntries(
      await Promise.all(positions.map(async (position) => [position, await exportedRows(store, runId, position)] as const)),
    ),
  };
}

/** The rows of every config as an export as of a position says them. */
export async function exportedRows(store: Store, runId: string, position: number): Promise<Rows> {
  const asOf = await resolveAsOf(store.log, runId, { kind: 'position', position });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-golden-'));
  try {
    const distiset = await createDistiset(store, runId, { asOf });
    const { metadata } = await writeDistiset(distiset, { directory: path.join(folder, 'rows'), format: 'jsonl', distilog: 'golden' });
    return Object.fromEntries(metadata.configs.map(({ name, rows, rowsSha256 }) => [name, [rows, rowsSha256] as const]));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
