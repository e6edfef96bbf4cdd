import { us } from '../area.ts';
import { missingAbsurdSql, missingPeers } from '../peers.ts';
import type { Engine } from './engine.ts';

/** Somebody who is compared, as the process that compares sees them. */
export interface EngineEntry {
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
  /** Loaded by the processes that run workflows only. */
  readonly load: () => Promise<Engine>;
}

/** Everybody who is compared. */
export const engines: readonly EngineEntry[] = [
  { name: us, load: async () => (await import('./engines/distilog.ts')).distilog },
  { name: `${us}, batches of 1`, load: async () => (await import('./engines/distilog.ts')).distilogByRow },
  {
    name: 'DBOS',
    missing: missingPeers(['@dbos-inc/dbos-sdk']),
    load: async () => (await import('./engines/dbos.ts')).dbos,
  },
  {
    name: 'openworkflow',
    missing: missingPeers(['openworkflow', 'openworkflow/postgres']),
    load: async () => (await import('./engines/openworkflow.ts')).openworkflow,
  },
  {
    name: 'absurd',
    missing: missingPeers(['absurd-sdk']) ?? missingAbsurdSql(),
    load: async () => (await import('./engines/absurd.ts')).absurd,
  },
];
