import { randomInt } from 'node:crypto';
import { systemClock } from '../kit/clock.ts';
import { newRunId } from '../kit/ids.ts';
import type { Store } from '../log/index.ts';
import type { Log, Plan } from '../pipeline/index.ts';
import { documentChunk } from '../rows/index.ts';
import { resumeRun, startRun, type DriveContext, type DrivenRun, type ResumeOptions } from '../scheduler/index.ts';
import { thisActor } from './actor.ts';
import { localWorker } from './local-worker.ts';
import type { EngineOptions } from './engine-options.ts';
import { program } from './program.ts';
import { findOwedPass } from './retried-rows.ts';
import { pauseOnUnhandledErrors } from './unhandled-errors.ts';

export interface NewRunOptions extends EngineOptions {
  /** Default: the pipeline's name and six characters. */
  readonly runId?: string | undefined;
  /** Default: a random one. */
  readonly seed?: number | undefined;
  /** The pipeline's file, as given. */
  readonly file?: string | undefined;
}

/** Starts a run of a plan on a store: `RunStarted` is durable when it returns; `drive()` moves it. */
export async function startPipeline(store: Store, plan: Plan, options: NewRunOptions = {}): Promise<DrivenRun> {
  const { manifest, definition, loaded, params, secrets } = plan;
  const run = await startRun(driveContext(store, plan, options), {
    runId: options.runId ?? newRunId(manifest.pipeline),
    manifest,
    definition: documentChunk(definition),
    params,
    secrets: secrets.map(({ name }) => name),
    seed: options.seed ?? randomInt(2 ** 32),
    file: options.file ?? null,
    loaded,
  });
  return pauseOnUnhandledErrors(run, plan, options);
}

/** Takes a run over and continues it, as `resumeRun` does. `acceptedChanges` names the parts of the plan that differ from the recorded ones. */
export async function resumePipeline(
  store: Store,
  plan: Plan,
  options: EngineOptions & DefinitionOptions & Omit<ResumeOptions, 'definition' | 'loaded'>,
): Promise<DrivenRun> {
  const { runId, seize, acceptedChanges, concurrency, skip } = options;
  const run = await resumeRun(driveContext(store, plan, options), {
    runId,
    seize,
    acceptedChanges,
    concurrency,
    skip,
    definition: newDefinition(plan, options),
    loaded: plan.loaded,
  });
  return pauseOnUnhandledErrors(run, plan, options);
}

/** Options that decide whether a continued run records its definition again. */
export interface DefinitionOptions {
  readonly acceptedChanges: ResumeOptions['acceptedChanges'];
  /** Records the plan's definition even without a change, because the recorded one lacks files that distilog sees now. */
  readonly recordsDefinition?: boolean | undefined;
}

/** Returns the definition to record again, or null. */
export const newDefinition = (
  plan: Plan,
  { acceptedChanges, recordsDefinition = false }: DefinitionOptions,
): ResumeOptions['definition'] => (acceptedChanges.length > 0 || recordsDefinition ? documentChunk(plan.definition) : null);

const silent: Log = { info: () => undefined, warn: () => undefined };

export function driveContext(store: Store, plan: Plan, options: EngineOptions): DriveContext {
  const {
    actor = thisActor(),
    clock = systemClock,
    userLog = () => silent,
    isRejectLimitLifted = false,
    onRecorded,
    onAway,
    resourceFor,
  } = options;
  return {
    store,
    actor,
    clock,
    program: program(),
    onRecorded,
    onAway,
    findOwedPass: (runId, before, steps) => findOwedPass(store, { runId, before, steps, manifest: plan.manifest.steps }),
    makeWorker: ({ runId, seed, driver, concurrency }) =>
      localWorker({
        store,
        plan,
        runId,
        seed,
        driver,
        clock,
        concurrency,
        isRejectLimitLifted,
        userLog,
        resourceFor,
        name: `${actor.user}@${actor.host}:${actor.pid}`,
      }),
  };
}
