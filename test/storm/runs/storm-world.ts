import { randomWorld, type World } from '../../unit/engine/random-pipeline.ts';
import { randomFrom } from '../../unit/random.ts';

/** How long a slow row may take: not at all, to longer than a batch does without being journalled. */
const pacesMs = [0, 3, 20, 100, 700] as const;
/** Rows of a world whose slow rows take long. */
const patientItems = 30;
/** Every so many worlds one has batches of a single row, and so as many events that snapshots are kept of it. */
const longEvery = 3;
const longItems = 150;

/** A random pipeline for a storm: of every operator, some rows of it rejected, some slow, some tried again. */
export function stormWorld(seed: number): World {
  const world = randomWorld(seed);
  const slowMs = randomFrom(seed * 31 + 7).pick(pacesMs);
  if (seed % longEvery === 0) {
    const steps = world.steps.map((step) => (step.operator === 'source' ? { ...step, batchSize: 1 } : step));
    return { ...world, steps, items: longItems, slowMs: Math.min(slowMs, 20) };
  }
  return { ...world, items: slowMs > 100 ? Math.min(world.items, patientItems) : world.items, slowMs };
}
