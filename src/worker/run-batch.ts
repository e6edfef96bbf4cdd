import { Attempt, type Ended, type Task, type WorkerContext } from './attempt.ts';
import { runRows } from './run-rows.ts';
import { runSource, type OpenSources } from './run-source.ts';

/**
 * Runs one attempt at one batch of one step, whatever its operator. Chunks are stored when it returns; the event that names them is for the caller to
 * append. It throws only when the store fails, never for what a row or a step's function does.
 */
export async function runBatch(task: Task, context: WorkerContext, open: OpenSources): Promise<Ended> {
  const attempt = new Attempt(task, context);
  try {
    await attempt.begin();
    switch (task.step.operator) {
      case 'source':
        return await runSource(attempt, task.step, open);
      case 'map':
      case 'filter':
        return await runRows(attempt, task.step);
      case 'select':
        return await passAll(attempt);
    }
  } catch (thrown) {
    return await attempt.broken(thrown);
  }
}

/** A step that adds nothing and drops nothing: its rows are its input's, without a look at them. */
async function passAll(attempt: Attempt): Promise<Ended> {
  for (let row = 0; row < attempt.task.rows; row++) attempt.finished.set(row, { kind: 'kept', values: [] });
  await attempt.settle();
  return attempt.succeeded(null);
}
