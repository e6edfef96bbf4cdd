import { describe, expect, it } from 'vitest';
import { checkWorld } from './check-world.ts';

const first = Number(process.env['DISTILOG_SEED'] ?? 0);
const seeds = Array.from({ length: Number(process.env['DISTILOG_SEEDS'] ?? 25) }, (_, index) => first + index);

describe('a run of a random pipeline', () => {
  // 193: a step far down fails, then a step above it at an earlier batch, whose rows the first would have waited for.
  it.each([...seeds, 193])(
    'ends with the rows that its operators mean, pass after pass, whatever its driver goes through (seed %i)',
    (seed) => {
      expect(checkWorld(seed).events).toBeGreaterThan(0);
    },
  );
});
