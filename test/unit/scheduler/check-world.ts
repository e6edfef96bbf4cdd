import assert from 'node:assert/strict';
import { calm, simulate, type Disturbance, type Leaves, type Simulated } from './simulation.ts';
import { expectedLeaves, randomWorld, type World } from './world.ts';

export interface Checked {
  readonly events: number;
  readonly crashes: number;
  readonly passes: number;
  /** Pauses because of a reject limit. */
  readonly breaks: number;
}

/** Rates of faults in a disturbed run: rare, so that batches overtake each other, and constant. */
const disturbances: readonly Omit<Disturbance, 'seed'>[] = [
  { crash: 0.02, flaky: 0.1, pause: 0.01, breaks: 0, retries: 2 },
  { crash: 0.3, flaky: 0.1, pause: 0.02, breaks: 0, retries: 2 },
];
/** The same for steps that break now and then: rows arrive later, and all of them arrive. */
const breakages: readonly Omit<Disturbance, 'seed'>[] = [
  { crash: 0, flaky: 0, pause: 0, breaks: 0.05, retries: 2 },
  { crash: 0.05, flaky: 0.1, pause: 0.01, breaks: 0.02, retries: 2 },
];
/** One world in this many runs at many times its length, to check the size of its state. */
const longEvery = 10;
const longItems = 1_500;

/** Runs a random world with and without faults. Throws, naming the seed, if it does not end, or ends with other rows than its operators define. */
export function checkWorld(seed: number): Checked {
  try {
    const world = randomWorld(seed);
    const undisturbed = simulate(world, { ...calm, seed });
    if (world.deadly === 0) {
      for (const [retries, { leaves }] of undisturbed.passes.entries()) {
        const expected = expectedLeaves(world, retries + 1);
        // Rows of a later pass come after those of earlier passes.
        if (retries === 0) assert.deepEqual(leaves, expected);
        else assert.deepEqual(sorted(leaves), sorted(expected));
        assertGrown(undisturbed.passes[retries - 1]?.leaves ?? {}, leaves);
      }
    }
    const disturbed = disturbances.map((each) => simulate(world, { ...each, seed: seed * 31 + 7 }));
    for (const { passes } of disturbed) assert.deepEqual(passes, undisturbed.passes);
    const broken = breakages.map((each) => simulate(world, { ...each, seed: seed * 31 + 7 }));
    for (const { passes, state } of broken) {
      assert.deepEqual(passes.map(inAnyOrder), undisturbed.passes.map(inAnyOrder));
      for (const [before, after] of passes.slice(1).map((after, index) => [passes[index], after] as const))
        assertGrown(before?.leaves ?? {}, after.leaves);
      assert(Object.values(state.steps).every(({ owedUntil }) => owedUntil === undefined));
    }
    const all = [undisturbed, ...disturbed, ...broken];
    if (seed % longEvery === 0) all.push(simulate({ ...world, items: longItems }, { ...calm, flaky: 0.1, retries: 0, seed }));
    for (const run of all) assertBounded(world, run);
    return {
      events: all.reduce((sum, { events }) => sum + events.length, 0),
      crashes: all.reduce((sum, { crashes }) => sum + crashes, 0),
      passes: undisturbed.passes.length,
      breaks: all.reduce((sum, { breaks }) => sum + breaks, 0),
    };
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const inAnyOrder = ({ leaves, status }: Simulated['passes'][number]) => ({ leaves: sorted(leaves), status });

const sorted = (leaves: Leaves): Leaves => Object.fromEntries(Object.entries(leaves).map(([name, ids]) => [name, ids.toSorted()]));

/** The rows of a pass come first in the next one. */
function assertGrown(before: Leaves, after: Leaves): void {
  for (const [name, ids] of Object.entries(before)) assert.deepEqual(after[name]?.slice(0, ids.length), ids);
}

/**
 * The pipeline alone bounds open and waiting batches, however long it runs: some batches on each edge, by the lanes of both its steps, those that a step
 * has in flight, and, before a re-cut step, as many batches of one row as make two of its own.
 */
function assertBounded({ steps }: World, { largestState }: Simulated): void {
  const lanesOf = (name: string) => steps.find((step) => step.name === name)?.options.concurrency ?? 0;
  const bound = steps.reduce((sum, { upstream, options: { concurrency }, cut }) => {
    const edges = upstream.map((name) => 4 + 2 * (lanesOf(name) + concurrency) + (cut.kind === 'recut' ? 2 * cut.rows : 0));
    return edges.reduce((all, edge) => all + edge, sum + 4 + 2 * concurrency);
  }, 0);
  assert(largestState <= bound, `the graph held ${largestState} batches, and this pipeline has room for ${bound}`);
}
