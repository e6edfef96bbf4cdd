import { canMount, ownServer, type OwnServer } from '../../postgres/own-server.ts';
import type { Area, Figures } from '../area.ts';
import { cutRuns } from './cut-runs.ts';
import { failOver } from './fail-over.ts';
import { faults, survive } from './faults.ts';

const awayMs = 60_000;

/** Injects faults of PostgreSQL and of the connection to it, while appenders write and readers follow. */
export const postgres: Area = {
  name: 'postgres',
  does: 'stops a server, cuts or silences its connections, fills its disk and restores an older copy, while appenders write',
  run: async ({ seed, kills, say }) => {
    const server = await ownServer();
    const all: Record<string, string | number> = {};
    try {
      for (const { name, strike, timesMax = Number.POSITIVE_INFINITY } of attacks(server)) {
        const figures = await strike({ seed, times: Math.min(timesMax, Math.ceil(kills / 10)) });
        say(`  ${name}: ${JSON.stringify(figures)}`);
        for (const [what, figure] of Object.entries(figures)) all[`${name}: ${what}`] = figure;
      }
    } finally {
      await server.remove();
    }
    return all;
  },
};

interface Attack {
  readonly name: string;
  /** The most injections of a fault that takes a minute. */
  readonly timesMax?: number | undefined;
  readonly strike: (size: { readonly seed: number; readonly times: number }) => Promise<Figures>;
}

const attacks = (server: OwnServer): readonly Attack[] => [
  ...faults.map((fault): Attack => {
    const { name, timesMax } = fault;
    return {
      name,
      timesMax,
      strike: async (size) =>
        fault.server?.diskBytes && !canMount() ? { skipped: 'only root can mount a disk' } : survive(fault, server, { ...size, awayMs }),
    };
  }),
  { name: 'runs cut at any await', strike: (size) => cutRuns(server, size) },
  { name: 'fall-back to an older copy', strike: (size) => failOver(server, size) },
];
