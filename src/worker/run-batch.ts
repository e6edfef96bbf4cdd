import type { BatchEnd } from '../scheduler/index.ts';
import { Attempt } from './attempt.ts';
import { runPassThrough } from './run-pass-through.ts';
import { runRows } from './run-rows.ts';
import { runSource, type OpenSources } from './run-source.ts';
import { runBatchRows, runBatchWhole, runWhole } from './run-together.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Runs one attempt at a batch of any operator. Returns its end, whose event the caller appends: its chunks are stored, or inlined in that event. Throws only
 * if the store fails, never because of a row or a step's function.
 */
export async function runBatch(task: RunnableTask, context: WorkerContext, open: OpenSources): Promise<BatchEnd> {
  const attempt = new Attempt(task, context);
  try {
    await attempt.begin();
    // Yield first, so that the end of the batch before is sent: the server then stores it while this batch runs.
    await new Promise(setImmediate);
    const { step } = task;
    switch (step.operator) {
      case 'source':
        return await runSource(attempt, step, open);
      case 'map':
      case 'replace':
      case 'flatMap':
      case 'filter':
      case 'route':
        return await runRows(attempt, step);
      case 'mapBatch':
        return await runBatchRows(attempt, step);
      case 'batch':
        return await runBatchWhole(attempt, step);
      case 'global':
        return await runWhole(attempt, step);
      case 'select':
      case 'drop':
      case 'rename':
      case 'nonNull':
      case 'branch':
      case 'join':
      case 'union':
        return await runPassThrough(attempt, step);
    }
  } catch (thrown) {
    return await attempt.fail(thrown);
  }
}
