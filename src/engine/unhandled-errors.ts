import { currentScope, watchScopes } from '../kit/error-scope.ts';
import { messageOf } from '../kit/fault.ts';
import type { Plan } from '../pipeline/index.ts';
import type { DrivenRun } from '../scheduler/index.ts';
import { thisActor } from './actor.ts';
import type { EngineOptions } from './engine-options.ts';
import { planRedactor } from './plan-redactor.ts';

/** Runs that this process drives, each with what pauses it. */
const driven = new Set<(thrown: unknown) => void>();

/**
 * Installs handlers of `unhandledRejection` and `uncaughtException` in this process, and returns what removes them. Rejections that nothing awaits and
 * throws in timers of a step's code then fail the attempt that they stem from, with code `unhandled-rejection`. Where its batch has ended, or nothing says
 * where an error stems from, the run pauses. The command line does this for itself; a program that uses the library decides, because without them Node ends
 * the process at such an error, as it does for any program. The run then goes on with `resumePipeline`.
 *
 * `onUnclaimed` gets an error that stems from no step while this process drives no run. Default: what Node does, a stack and exit code 1.
 */
export function handleUnhandledErrors(onUnclaimed: (thrown: unknown) => void = endAsNodeDoes): () => void {
  const handle = (thrown: unknown): void => {
    const scope = currentScope();
    if (scope) scope.capture(thrown);
    else if (driven.size === 0) onUnclaimed(thrown);
    else for (const pauseRun of driven) pauseRun(thrown);
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

/** A run that is paused by errors of this process that cannot be attributed, while it is driven. */
export function pausedByUnhandledErrors(run: DrivenRun, plan: Plan, { userLog }: Pick<EngineOptions, 'userLog'>): DrivenRun {
  const redact = planRedactor(plan);
  const pauseRun = (thrown: unknown): void => {
    const message = `an error that nothing awaited, and that stems from no batch: ${redact(messageOf(thrown))}`;
    userLog?.('').warn(message);
    run.stop({ kind: 'pause', reason: 'unhandled-rejection', message, step: null, actor: thisActor() });
  };
  return {
    ...run,
    drive: async () => {
      driven.add(pauseRun);
      try {
        return await run.drive();
      } finally {
        driven.delete(pauseRun);
      }
    },
  };
}
