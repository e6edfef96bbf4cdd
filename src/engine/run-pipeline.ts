import { randomInt } from 'node:crypto';
import type { Actor, RecordedEvent } from '#schema';
import { systemClock, type Clock } from '#kit/clock';
import { newRunId } from '#kit/ids';
import type { Store } from '#log';
import type { Log, Plan, Resource } from '#pipeline';
import { documentChunk } from '#rows';
import { resumeRun, startRun, type DriveContext, type DrivenRun, type ResumeOptions } from '#scheduler';
import { thisActor } from './actor.ts';
import { localWorker } from './local-worker.ts';
import { program } from './program.ts';

/** What both a new and a resumed run may be told. */
export interface EngineOptions {
  /** Lifts the limit at which a step that rejects too much pauses the run. */
  readonly isRejectLimitLifted?: boolean | undefined;
  /** Told of every recorded event, in order. */
  readonly onRecorded?: ((events: readonly RecordedEvent[]) => void) | undefined;
  /** Told when the store has not answered for a second, with its last error, and with null when it answers again. The run waits meanwhile. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
  /** Where steps' log lines go; default: nowhere. */
  readonly userLog?: ((step: string) => Log) | undefined;
  /** Says what is opened where a step asks for a resource; default: that resource. */
  readonly resourceFor?: ((asked: Resource<unknown>) => Resource<unknown>) | undefined;
  readonly actor?: Actor | undefined;
  readonly clock?: Clock | undefined;
}

export interface NewRunOptions extends EngineOptions {
  /** Default: the pipeline's name and six characters. */
  readonly runId?: string | undefined;
  /** Default: a random one. */
  readonly seed?: number | undefined;
  /** The pipeline's file, as given. */
  readonly file?: string | undefined;
}

/** Starts a run of a plan on a store: `RunStarted` is durable when it returns; `drive()` moves it. */
export function startPipeline(store: Store, plan: Plan, options: NewRunOptions = {}): Promise<DrivenRun> {
  const { manifest, definition, params, secrets } = plan;
  return startRun(driveContext(store, plan, options), {
    runId: options.runId ?? newRunId(manifest.pipeline),
    manifest,
    definition: documentChunk(definition),
    params,
    secrets: secrets.map(({ name }) => name),
    seed: options.seed ?? randomInt(2 ** 32),
    file: options.file ?? null,
  });
}

/** Takes a run over and goes on with it: see `resumeRun`. `acceptedChanges` says what of the plan differs from what is recorded. */
export function resumePipeline(store: Store, plan: Plan, options: EngineOptions & Omit<ResumeOptions, 'definition'>): Promise<DrivenRun> {
  const { runId, seize, acceptedChanges, concurrency, skip } = options;
  return resumeRun(driveContext(store, plan, options), {
    runId,
    seize,
    acceptedChanges,
    concurrency,
    skip,
    definition: acceptedChanges.length > 0 ? documentChunk(plan.definition) : null,
  });
}

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
    makeWorker: ({ runId, seed, journal, wishPause, freed, concurrency }) =>
      localWorker({
        store,
        plan,
        runId,
        seed,
        journal,
        wishPause,
        freed,
        clock,
        concurrency,
        isRejectLimitLifted,
        userLog,
        resourceFor,
        name: `${actor.user}@${actor.host}:${actor.pid}`,
      }),
  };
}
