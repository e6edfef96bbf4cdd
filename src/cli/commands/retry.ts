import type { Command } from 'commander';
import { resolveStepName } from '../../distiset/index.ts';
import { retryPipeline } from '../../engine/index.ts';
import { mayAsk, withStore, type CommandContext } from '../context.ts';
import { chooseRun, isRetryable } from '../choose-run.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { parseStepConcurrency } from '../parse-params.ts';
import { loadContinuedPipeline, rememberPipelineFile, type ContinueOptions } from '../continued-pipeline.ts';
import { drive } from './drive.ts';
import { addStoreCommand, concurrencyOption, paramOption, repeatableOption } from '../command-options.ts';
import { splitRunAndFile } from '../split-run-and-file.ts';

/** Registers `distilog retry`. */
export function registerRetry(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'retry [run] [file]', 'Retry the rejected rows of a finished run, in a new pass')
    .addOption(repeatableOption('--step <step>', 'Retry only rows that this step rejected; may be repeated').default([], 'all'))
    .addOption(repeatableOption('--code <code>', 'Retry only rows with this reject code; may be repeated').default([], 'all'))
    .addOption(paramOption())
    .addOption(concurrencyOption())
    .option('--accept-changes', 'Continue with a changed pipeline, and record the change')
    .option('--no-reject-limit', 'Never pause the run because a step rejects many rows')
    .action((which, file, options) => retry(context, ...splitRunAndFile(which, file), options));
}

interface RetryCommandOptions extends Omit<ContinueOptions, 'command'> {
  readonly step: readonly string[];
  readonly code: readonly string[];
  readonly concurrency: readonly string[];
  readonly rejectLimit: boolean;
}

/** `distilog retry`: retries rejected rows of a finished run, in a new pass. */
async function retry(
  context: CommandContext,
  run: string | undefined,
  file: string | undefined,
  options: RetryCommandOptions,
): Promise<void> {
  const given = file === undefined ? undefined : await loadPipeline(file);
  await withStore(options, async (store) => {
    const runId = await chooseRun(context.terminal, store, run, {
      command: 'retry',
      pipeline: given?.pipeline.name,
      isCandidate: isRetryable,
      mayAsk: mayAsk(context.terminal, options),
    });
    const { planned, loaded, acceptedChanges, recordsDefinition } = await loadContinuedPipeline(context, store, runId, given, {
      ...options,
      command: 'retry',
    });
    const concurrency = parseStepConcurrency(options.concurrency, planned.manifest.steps);
    const steps = options.step.map((name) => resolveStepName(planned.manifest.steps, name));
    await drive(context, store, options, async (callbacks) => {
      const driven = await retryPipeline(store, planned, {
        ...callbacks,
        runId,
        acceptedChanges,
        recordsDefinition,
        concurrency,
        steps: steps.length > 0 ? steps : undefined,
        codes: options.code.length > 0 ? options.code : undefined,
        isRejectLimitLifted: !options.rejectLimit,
      });
      await rememberPipelineFile(context, store, runId, loaded);
      return driven;
    });
  });
}
