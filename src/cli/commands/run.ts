import type { Command } from 'commander';
import { onlyConfig } from '../../distiset/index.ts';
import { startPipeline } from '../../engine/index.ts';
import { plan } from '../../pipeline/index.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { parseStepConcurrency, parseParamOptions } from '../parse-params.ts';
import { rememberPipelineFile } from '../continued-pipeline.ts';
import { drive } from './drive.ts';
import { Fault } from '../../kit/fault.ts';
import { addStoreCommand, concurrencyOption, paramOption } from '../command-options.ts';

/** Registers `distilog run`. */
export function registerRun(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'run <file>', 'Start a run of a pipeline file')
    .addOption(paramOption())
    .addOption(concurrencyOption())
    .option('--seed <n>', 'Set the seed of all random choices (default: a random seed, which is recorded)')
    .option('--no-reject-limit', 'Never pause the run because a step rejects many rows')
    .action((file, options) => run(context, file, options));
}

interface RunOptions extends CommonOptions {
  readonly param: readonly string[];
  readonly concurrency: readonly string[];
  readonly seed?: string | undefined;
  readonly rejectLimit: boolean;
}

/** `distilog run`: starts a run and drives it to rest. */
async function run(context: CommandContext, file: string, options: RunOptions): Promise<void> {
  const loaded = await loadPipeline(file);
  const params = parseParamOptions(loaded.pipeline.params, options.param, process.env);
  const planWith = (concurrency: Readonly<Record<string, number>>) =>
    plan(loaded.pipeline, { params, concurrency, sources: loaded.sources, loaded: loaded.loaded });
  // The step behind a config's name is known only after planning.
  const isOfConfig = options.concurrency.some((option) => option.startsWith(`${onlyConfig}=`));
  const planned = planWith(parseStepConcurrency(options.concurrency, isOfConfig ? planWith({}).manifest.steps : []));
  const seed = options.seed === undefined ? undefined : parseSeed(options.seed);
  await withStore(options, (store) =>
    drive(context, store, options, async (callbacks) => {
      const started = await startPipeline(store, planned, { ...callbacks, seed, file, isRejectLimitLifted: !options.rejectLimit });
      await rememberPipelineFile(context, store, started.runId, loaded);
      return started;
    }),
  );
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new Fault('invalid-seed', `--seed ${text} is not a seed. Give a whole number from 0, such as --seed 7.`);
}
