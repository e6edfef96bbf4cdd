import { afterAll, describe, expect, it } from 'vitest';
import { seedFrom } from '../../fixtures/slice.ts';
import { canMount, ownServer } from '../../postgres/own-server.ts';
import { cutRuns } from './cut-runs.ts';
import { failOver } from './fail-over.ts';
import { faults, survive } from './faults.ts';

const seed = seedFrom('DISTILOG_STORM_SEED');

const server = await ownServer();
afterAll(() => server.remove());

describe(`writers survive and keep everything that was acknowledged (DISTILOG_STORM_SEED=${seed}):`, () => {
  const isPossible = canMount();
  for (const fault of faults)
    it.skipIf(fault.server?.diskBytes && !isPossible)(fault.name, async () => {
      const figures = await survive(fault, server, { seed, times: 1, awayMs: 4_000, silenceMs: 700 });
      expect(figures['acknowledged']).toBeGreaterThan(0);
    });
});

it(`a run produces the same rows if all its connections end at any await (DISTILOG_STORM_SEED=${seed})`, async () => {
  expect(await cutRuns(server, { seed, times: 4 })).toMatchObject({ runs: 4 });
});

it('a driver ends if its server falls back to an older copy, and no position is assigned twice', async () => {
  expect(await failOver(server, { seed, times: 2 })).toMatchObject({ 'fall-backs': 2 });
});
