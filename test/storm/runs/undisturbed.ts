import { retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { plan } from '../../../src/pipeline/index.ts';
import type { Rest } from '../../../src/scheduler/index.ts';
import { pipelineOf, type World } from '../../unit/engine/random-pipeline.ts';
import { lookAt, type ConfigLook } from './look.ts';

/** Where a run that nobody disturbs comes to, and the rows that it has there. */
export interface Outcome {
  readonly rest: Rest;
  readonly configs: readonly ConfigLook[];
}

export interface Undisturbed {
  readonly first: Outcome;
  /** Once its rejected rows were tried again; the code of why that is refused. */
  readonly retried: Outcome | string;
}

/** What a world's run comes to where nothing goes wrong. */
export async function undisturbed(world: World): Promise<Undisturbed> {
  const quick = { ...world, slowMs: 0 };
  const store = memoryStore();
  const options = { isRejectLimitLifted: true };
  const run = await startPipeline(store, plan(pipelineOf(quick)), { seed: world.seed, ...options });
  const { rest } = await run.drive();
  const first = { rest, configs: (await lookAt(store, run.runId)).configs };
  try {
    const mended = plan(pipelineOf({ ...quick, mended: true }));
    const retrying = await retryPipeline(store, mended, { runId: run.runId, acceptedChanges: [], concurrency: {}, ...options });
    const again = await retrying.drive();
    return { first, retried: { rest: again.rest, configs: (await lookAt(store, run.runId)).configs } };
  } catch (error) {
    return { first, retried: codeOf(error) ?? String(error) };
  }
}
