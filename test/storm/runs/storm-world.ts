import { randomWorld, type World } from '../../unit/engine/random-pipeline.ts';
import { randomFrom } from '../../unit/random.ts';

/** How long a slow row may take: from no time to longer than a batch runs without a journal. */
const pacesMs = [0, 3, 20, 100, 700] as const;
/** The number of rows of a world whose slow rows take long. */
const patientItems = 30;
/** One of so many worlds has batches of a single row. It has enough events for snapshots. */
const longEvery = 3;
const longItems = 150;

/** Returns a random pipeline for a storm, of any operators. Some of its rows are rejected, some are slow, some are retried. */
export function stormWorld(seed: number): World {
  const world = randomWorld(seed);
  const slowMs = randomFrom(seed * 31 + 7).pick(pacesMs);
  if (seed % longEvery === 0) {
    const steps = world.steps.map((step) => (step.operator === 'source' ? { ...step, batchSize: 1 } : step));
    return { ...world, steps, items: longItems, slowMs: Math.min(slowMs, 20) };
  }
  return { ...world, items: slowMs > 100 ? Math.min(world.items, patientItems) : world.items, slowMs };
}
