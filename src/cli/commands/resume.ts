import type { Command } from 'commander';
import { resolveStepName } from '../../distiset/index.ts';
import { resumePipeline } from '../../engine/index.ts';
import { Fault } from '../../kit/fault.ts';
import { runLogId, type Store } from '../../log/index.ts';
import { currentState } from '../../views/index.ts';
import { mayAsk, withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { chooseRun, isResumable } from '../choose-run.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { parseStepConcurrency } from '../parse-params.ts';
import { loadContinuedPipeline, rememberPipelineFile, type ContinueOptions } from '../continued-pipeline.ts';
import { drive } from './drive.ts';
import { addStoreCommand, concurrencyOption, paramOption, repeatableOption } from '../command-options.ts';
import { splitRunAndFile } from '../split-run-and-file.ts';

/** Registers `distilog resume`. */
export function registerResume(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'resume [run] [file]', 'Continue a run after a crash or a pause')
    .addOption(paramOption())
    .addOption(concurrencyOption())
    .option('--accept-changes', 'Continue with a changed pipeline, and record the change')
    .option('--take-over', 'Take the run over from the process that drives it, which then stops')
    .addOption(repeatableOption('--skip <step/batch>', 'Skip this batch and lose its rows; may be repeated').default([], 'none'))
    .option('--no-reject-limit', 'Never pause the run because a step rejects many rows')
    .action((which, file, options) => resume(context, ...splitRunAndFile(which, file), options));
}

interface ResumeCommandOptions extends Omit<ContinueOptions, 'command'> {
  readonly concurrency: readonly string[];
  readonly takeOver?: boolean | undefined;
  readonly skip: readonly string[];
  readonly rejectLimit: boolean;
}

/** `distilog resume`: continues a run after a crash or a pause. */
async function resume(
  context: CommandContext,
  run: string | undefined,
  file: string | undefined,
  options: ResumeCommandOptions,
): Promise<void> {
  const skip = options.skip.map(parseSkip);
  const given = file === undefined ? undefined : await loadPipeline(file);
  await withStore(options, async (store) => {
    const runId = await chooseRun(context.terminal, store, run, {
      command: 'resume',
      pipeline: given?.pipeline.name,
      isCandidate: isResumable(options.takeOver ?? false),
      mayAsk: mayAsk(context.terminal, options),
    });
    await refuseIfOver(store, runId);
    const { planned, loaded, acceptedChanges, recordsDefinition } = await loadContinuedPipeline(context, store, runId, given, {
      ...options,
      command: 'resume',
    });
    const { steps } = planned.manifest;
    const concurrency = parseStepConcurrency(options.concurrency, steps);
    await printOpenBatches(context, store, runId, options);
    await drive(context, store, options, async (callbacks) => {
      const driven = await resumePipeline(store, planned, {
        ...callbacks,
        runId,
        seize: options.takeOver ?? false,
        acceptedChanges,
        recordsDefinition,
        concurrency,
        skip: skip.map(({ step, batch }) => ({ step: resolveStepName(steps, step), batch })),
        isRejectLimitLifted: !options.rejectLimit,
      });
      await rememberPipelineFile(context, store, runId, loaded);
      return driven;
    });
  });
}

function parseSkip(text: string): { readonly step: string; readonly batch: number } {
  const [, step = '', batch = ''] = /^(.+)\/(\d+)$/.exec(text) ?? [];
  if (step === '') throw new Fault('invalid-skip', `--skip ${text} does not name a batch. Write --skip STEP/BATCH, such as answer/17.`);
  return { step, batch: Number(batch) };
}

async function refuseIfOver(store: Store, runId: string): Promise<void> {
  const { status } = await currentState(store, runId);
  if (status !== 'running' && status !== 'paused') {
    throw new Fault(
      'run-is-over',
      `Run ${runId} is over (${status}), so it cannot be resumed. To see its dataset, run: distilog distiset ${runId}`,
      { details: { run: runId, status } },
    );
  }
}

/** Prints which batches a resume attempts again, and how many of their rows the log already holds. */
async function printOpenBatches({ terminal }: CommandContext, store: Store, runId: string, options: CommonOptions): Promise<void> {
  if (options.json) return;
  const { graph } = (await currentState(store, runId)).states;
  for (const name of graph.order) {
    for (const [batch, { state: its, rows }] of Object.entries(graph.steps[name]?.open ?? {})) {
      const events = await store.log.readBatch(runLogId(runId), { pass: graph.pass, step: name, batch: Number(batch) });
      const kept = events.reduce(
        (sum, event) => sum + (event.type === 'BatchProgressed' || event.type === 'BatchFailed' ? countRows(event.data.done) : 0),
        0,
      );
      const what = its === 'running' ? 'was running when its driver stopped, and is attempted again' : 'is attempted again';
      terminal.note(
        terminal.paint('dim', `batch ${batch} of step ${name} ${what}: ${kept} rows are in the log, ${Math.max(0, rows - kept)} remain`),
      );
    }
  }
}

const countRows = (ranges: readonly (readonly [number, number])[]): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
