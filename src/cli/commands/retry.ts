import { retryPipeline } from '#engine';
import { withStore, type CommandContext } from '../context.ts';
import { findRun } from '../find-run.ts';
import { parseConcurrency } from '../parse-params.ts';
import { pipelineAgain, type AgainOptions } from '../pipeline-again.ts';
import { drive } from './drive.ts';

export interface RetryCommandOptions extends AgainOptions {
  readonly step: readonly string[];
  readonly code: readonly string[];
  readonly concurrency: readonly string[];
  readonly rejectLimit: boolean;
}

/** `distilog retry`: tries rejected rows of a finished run again, in a new pass. */
export async function retry(
  context: CommandContext,
  run: string | undefined,
  file: string | undefined,
  options: RetryCommandOptions,
): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const { planned, acceptedChanges } = await pipelineAgain(context, store, runId, file, options);
    const concurrency = parseConcurrency(options.concurrency);
    await drive(context, store, options, (told) =>
      retryPipeline(store, planned, {
        ...told,
        runId,
        acceptedChanges,
        concurrency,
        steps: options.step.length > 0 ? options.step : undefined,
        codes: options.code.length > 0 ? options.code : undefined,
        isRejectLimitLifted: !options.rejectLimit,
      }),
    );
  });
}
