import { currentScope, watchScopes } from '../kit/error-scope.ts';
import { messageOf } from '../kit/fault.ts';
import type { Plan } from '../pipeline/index.ts';
import type { DrivenRun } from '../scheduler/index.ts';
import { thisActor } from './actor.ts';
import type { EngineOptions } from './engine-options.ts';
import { planRedactor } from './plan-redactor.ts';

/** Functions that pause the runs which this process drives. */
const pauseFunctions = new Set<(thrown: unknown) => void>();

/**
 * Installs handlers of `unhandledRejection` and `uncaughtException` in this process, and returns a function that removes them. An unawaited rejection, or a
 * throw in a timer, of a step's code then fails the attempt that it stems from, with code `unhandled-rejection`. If the batch has ended, or the origin of an
 * error is unknown, the run pauses. The command line installs them. A program that uses the library decides for itself: without them, Node ends the process
 * at such an error, as it does for any program, and `resumePipeline` continues the run.
 *
 * `onUnclaimed` receives an error that stems from no step while this process drives no run. Default: as Node does, print the stack and exit with code 1.
 */
export function handleUnhandledErrors(onUnclaimed: (thrown: unknown) => void = endAsNodeDoes): () => void {
  const handle = (thrown: unknown): void => {
    const scope = currentScope();
    if (scope) scope.capture(thrown);
    else if (pauseFunctions.size === 0) onUnclaimed(thrown);
    else for (const pauseRun of pauseFunctions) pauseRun(thrown);
  };
  const unwatch = watchScopes();
  process.on('unhandledRejection', handle).on('uncaughtException', handle);
  return () => {
    process.off('unhandledRejection', handle).off('uncaughtException', handle);
    unwatch();
  };
}

function endAsNodeDoes(thrown: unknown): void {
  console.error(thrown);
  process.exit(1);
}

/** Returns the run. While it is driven, errors of this process that cannot be attributed to a batch pause it. */
export function pauseOnUnhandledErrors(run: DrivenRun, plan: Plan, { userLog }: Pick<EngineOptions, 'userLog'>): DrivenRun {
  const redact = planRedactor(plan);
  const pauseRun = (thrown: unknown): void => {
    const message = `an error that nothing awaited, and that stems from no batch: ${redact(messageOf(thrown))}`;
    userLog?.('').warn(message);
    run.stop({ kind: 'pause', reason: 'unhandled-rejection', message, step: null, actor: thisActor() });
  };
  return {
    ...run,
    drive: async () => {
      pauseFunctions.add(pauseRun);
      try {
        return await run.drive();
      } finally {
        pauseFunctions.delete(pauseRun);
      }
    },
  };
}
