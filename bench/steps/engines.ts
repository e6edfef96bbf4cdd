import { ownName } from '../area.ts';
import { missingPeers } from '../peers.ts';
import { pythonMissing } from '../python.ts';
import type { Engine } from './engine.ts';

/** A contestant, as the process that compares sees it. */
export interface EngineEntry {
  readonly name: string;
  /** Returns why the contestant cannot run here, or undefined if it can. */
  readonly missing?: (() => string | undefined) | undefined;
  /** Loads the engine. Only processes that run workflows call it. */
  readonly load: () => Promise<Engine>;
}

/** Name of distilog with one batch for each step of each row, which is the strictest comparison. */
export const ownNameByRow = `${ownName}, batches of 1`;

/** All contestants. */
export const engines: readonly EngineEntry[] = [
  { name: ownName, load: async () => (await import('./engines/distilog.ts')).distilog },
  { name: ownNameByRow, load: async () => (await import('./engines/distilog.ts')).distilogByRow },
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
