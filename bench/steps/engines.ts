import { us } from '../area.ts';
import { missingPeers } from '../peers.ts';
import { pythonMissing } from '../python.ts';
import type { Engine } from './engine.ts';

/** Somebody who is compared, as the process that compares sees them. */
export interface EngineEntry {
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly missing?: (() => string | undefined) | undefined;
  /** Loaded by the processes that run workflows only. */
  readonly load: () => Promise<Engine>;
}

/** We again, with each step of each row a batch of its own: the strictest comparison. */
export const usByRow = `${us}, batches of 1`;

/** Everybody who is compared. */
export const engines: readonly EngineEntry[] = [
  { name: us, load: async () => (await import('./engines/distilog.ts')).distilog },
  { name: usByRow, load: async () => (await import('./engines/distilog.ts')).distilogByRow },
  {
    name: 'DBOS',
    missing: () => missingPeers(['@dbos-inc/dbos-sdk']),
    load: async () => (await import('./engines/dbos.ts')).dbos,
  },
  {
    name: 'openworkflow',
    missing: () => missingPeers(['openworkflow', 'openworkflow/postgres']),
    load: async () => (await import('./engines/openworkflow.ts')).openworkflow,
  },
  {
    name: 'absurd',
    missing: () => missingPeers(['absurd-sdk']) ?? pythonMissing(),
    load: async () => (await import('./engines/absurd.ts')).absurd,
  },
];
