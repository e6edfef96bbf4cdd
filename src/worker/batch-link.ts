import { messageOf } from '../kit/fault.ts';
import type { BatchLink } from './call-scope.ts';
import type { RunnableTask } from './runnable-task.ts';
import type { WorkerContext } from './worker-context.ts';

/** Connects the calls of an attempt to it. An error that comes after the attempt's end pauses the run. */
export function batchLink(task: RunnableTask, context: WorkerContext, attempt: NonNullable<BatchLink['attempt']>): BatchLink {
  const step = task.step.name;
  const place = `batch ${task.batch} of step ${step}`;
  return {
    attempt,
    pauseRun: (thrown) => {
      const message = `an error that nothing awaited came after ${place} had ended: ${context.redact(messageOf(thrown))}`;
      // Logged as well, because a run that has nothing left to do ends instead of pausing.
      context.userLog(step).warn(message);
      context.wishPause({ reason: 'unhandled-rejection', message });
    },
    logIgnored: (thrown) =>
      context.userLog(step).warn(`${place}: an error that nothing awaited came after its call had failed: ${messageOf(thrown)}`),
  };
}
