import type { Checkpoints } from './checkpoints.ts';
import type { FinishedRows } from './finished-rows.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { UsageMeter } from './usage-meter.ts';
import type { WorkerContext } from './worker-context.ts';

/** The parts of an attempt that its events record. */
export interface AttemptRecords {
  readonly task: RunnableTask;
  readonly context: WorkerContext;
  readonly finished: FinishedRows;
  readonly usage: UsageMeter;
  readonly checkpoints: Checkpoints;
}

/** Restores what earlier attempts at the batch recorded: finished rows, and checkpoints of unfinished ones. */
export async function recoverRecords({ task, context, finished, checkpoints }: AttemptRecords): Promise<void> {
  const { step, pass, batch } = task;
  const { chunks } = context;
  const events = await context.log.readBatch(context.runId, { pass, step: step.name, batch });
  const reconsiderUntil = await context.reconsiderUntil(step.name);
  await finished.recover(events, { reconsiderUntil, isInOrder: step.operator === 'source' });
  await checkpoints.recover(events, { signature: step.signature, chunks, isDone: (row) => finished.has(row) });
}
