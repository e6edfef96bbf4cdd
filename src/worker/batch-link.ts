import { messageOf } from '../kit/fault.ts';
import type { BatchLink } from './call-scope.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { WorkerContext } from './worker-context.ts';

/** Links an attempt's calls to it. An error that comes after the attempt's end pauses the run. */
export function batchLink(task: RunnableTask, context: WorkerContext, attempt: NonNullable<BatchLink['attempt']>): BatchLink {
  const step = task.step.name;
  const place = `batch ${task.batch} of step ${step}`;
  return {
    attempt,
    late: (thrown) => {
      const message = `an error that nothing awaited came after ${place} had ended: ${context.redact(messageOf(thrown))}`;
      // The run may have nothing left to do, and end all the same.
      context.userLog(step).warn(message);
      context.wishPause({ reason: 'unhandled-rejection', message });
    },
    ignored: (thrown) =>
      context.userLog(step).warn(`${place}: after its call had failed, this came, and nothing awaited it: ${messageOf(thrown)}`),
  };
}
