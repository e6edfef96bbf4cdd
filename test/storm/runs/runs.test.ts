import { describe, expect, it } from 'vitest';
import { seedFrom } from '../../fixtures/slice.ts';
import { blows } from '../area.ts';
import { crashPoints } from './crash-points.ts';
import { ghosts } from './ghosts.ts';
import { kills } from './kills.ts';
import { past } from './past.ts';

const seed = seedFrom('DISTILOG_STORM_SEED');
/** Long enough for a busy machine. */
const timeoutMs = 600_000;
const storm = (size: number) => ({ seed, seeds: 1, kills: size, signals: blows, say: () => undefined });

// A slice of each storm. The whole: npm run storm -- crash-points kills ghosts past
describe(`a run under attack (DISTILOG_STORM_SEED=${seed})`, () => {
  it(
    'loses nothing if a process dies where something is stored, made visible, started or stopped',
    async () => {
      expect((await crashPoints.run(storm(5)))['blows']).toBe(5);
    },
    timeoutMs,
  );

  it(
    'comes to the rows of an undisturbed run, whichever process is killed, stopped or replaced',
    async () => {
      expect((await kills.run(storm(5)))['blows']).toBeGreaterThanOrEqual(5);
    },
    timeoutMs,
  );

  it(
    'is driven by one of several processes that resume it at the same instant, and stores nothing of a stale writer',
    async () => {
      expect(await ghosts.run(storm(2))).toMatchObject({ 'races, one winner each': 1 });
    },
    timeoutMs,
  );

  it(
    'gives the same states and rows at earlier positions',
    async () => {
      expect(await past.run(storm(1))).toHaveProperty('looks restored, the same');
    },
    timeoutMs,
  );
});
