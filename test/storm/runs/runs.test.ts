import { describe, expect, it } from 'vitest';
import { seedFrom } from '../../fixtures/slice.ts';
import { blows } from '../area.ts';
import { crashPoints } from './crash-points.ts';
import { ghosts } from './ghosts.ts';
import { kills } from './kills.ts';
import { past } from './past.ts';

const seed = seedFrom('DISTILOG_STORM_SEED');
/** For machines that have much else to do. */
const timeoutMs = 600_000;
const storm = (size: number) => ({ seed, seeds: 1, kills: size, signals: blows, say: () => undefined });

/** Of each storm a slice; the whole: npm run storm -- crash-points kills ghosts past */
describe(`a run under attack (DISTILOG_STORM_SEED=${seed})`, () => {
  it(
    'loses nothing to a process that dies where something is stored, made visible, started or stopped',
    async () => {
      expect((await crashPoints.run(storm(5)))['blows']).toBe(5);
    },
    timeoutMs,
  );

  it(
    'comes to the rows of an undisturbed run, whoever is killed, stopped or replaced',
    async () => {
      expect((await kills.run(storm(5)))['blows']).toBeGreaterThanOrEqual(5);
    },
    timeoutMs,
  );

  it(
    'is driven by one of several who resume it at the same instant, and hears no ghost',
    async () => {
      expect(await ghosts.run(storm(2))).toMatchObject({ 'races, one winner each': 1 });
    },
    timeoutMs,
  );

  it(
    'keeps its past still',
    async () => {
      expect(await past.run(storm(1))).toHaveProperty('looks restored, the same');
    },
    timeoutMs,
  );
});
