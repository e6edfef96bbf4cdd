import { retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { plan } from '../../../src/pipeline/index.ts';
import type { Rest } from '../../../src/scheduler/index.ts';
import { pipelineOf, type World } from '../../unit/engine/random-pipeline.ts';
import { lookAt, type ConfigLook } from './look.ts';

/** Where an undisturbed run comes to rest, and its rows there. */
export interface Outcome {
  readonly rest: Rest;
  readonly configs: readonly ConfigLook[];
}

export interface Undisturbed {
  readonly first: Outcome;
  /** The outcome after a retry of its rejected rows, or the code of the refusal. */
  readonly retried: Outcome | string;
}

/** Returns the outcome of a world's run without faults. */
export async function undisturbed(world: World): Promise<Undisturbed> {
  const quick = { ...world, slowMs: 0 };
  const store = memoryStore();
  const options = { isRejectLimitLifted: true };
  const run = await startPipeline(store, plan(pipelineOf(quick)), { seed: world.seed, ...options });
  const { rest } = await run.drive();
  const first = { rest, configs: (await lookAt(store, run.runId)).configs };
  try {
    const repaired = plan(pipelineOf({ ...quick, isRepaired: true }));
    const retrying = await retryPipeline(store, repaired, { runId: run.runId, acceptedChanges: [], concurrency: {}, ...options });
    const again = await retrying.drive();
    return { first, retried: { rest: again.rest, configs: (await lookAt(store, run.runId)).configs } };
  } catch (error) {
    return { first, retried: codeOf(error) ?? String(error) };
  }
}
