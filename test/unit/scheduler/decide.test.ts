import { describe, expect, it } from 'vitest';
import { expectedLeaves, randomWorld, simulate } from './simulation.ts';

const seeds = Array.from({ length: Number(process.env['DISTILOG_SEEDS'] ?? 120) }, (_, seed) => seed);

describe('a run of a random pipeline', () => {
  it.each(seeds)('gives the same leaves whatever its driver goes through (seed %i)', (seed) => {
    const world = randomWorld(seed);
    const calm = simulate(world, { seed, crash: 0, flaky: 0 });
    if (world.deadly === 0) expect(calm.leaves).toEqual(expectedLeaves(world));
    for (const crash of [0, 0.02, 0.3]) {
      const stormy = simulate(world, { seed: seed * 31 + 7, crash, flaky: 0.1 });
      expect(stormy.leaves).toEqual(calm.leaves);
      expect(stormy.state.status).toBe(calm.state.status);
    }
  });
});
