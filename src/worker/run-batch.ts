import type { BatchEnd } from '../scheduler/index.ts';
import { Attempt } from './attempt.ts';
import { runPassing } from './run-passing.ts';
import { runRows } from './run-rows.ts';
import { runSource, type OpenSources } from './run-source.ts';
import { runBatchRows, runBatchWhole, runWhole } from './run-together.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Runs one attempt at one batch of one step, whatever its operator. Chunks are stored when it returns, or come with the event that
 * names them; that is for the caller to append. It throws only when the store fails, never for what a row or a step's function does.
 */
export async function runBatch(task: RunnableTask, context: WorkerContext, open: OpenSources): Promise<BatchEnd> {
  const attempt = new Attempt(task, context);
  try {
    await attempt.begin();
    // In a turn of its own: the batch before has its end on the way to the disk by then, and the server works while we do.
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
        return await runPassing(attempt, step);
    }
  } catch (thrown) {
    return await attempt.broken(thrown);
  }
}
