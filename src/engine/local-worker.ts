import type { Clock } from '../kit/clock.ts';
import { nameLengthMax, storableText, undeclaredMax, type NewEvent, type RecordedEvent, type Seeds } from '../../schema/index.ts';
import type { Store } from '../log/index.ts';
import { runLogId } from '../log/index.ts';
import type { Log, Plan, Resource, RunnableStep } from '../pipeline/index.ts';
import { assert } from '../kit/assert.ts';
import { canonicalJson, prototypeKeyIn, type JsonObject } from '../kit/json.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import { cacheChunks, rowReader } from '../rows/index.ts';
import type { DriverPort, Worker } from '../scheduler/index.ts';
import { retriedRowsReader } from './retried-rows-reader.ts';
import { memoize, memoizeFulfilled } from '../kit/memoize.ts';
import { planRedactor } from './plan-redactor.ts';
import { redactedLog } from './redacted-log.ts';
import {
  closeSource,
  JournalClock,
  Lanes,
  LoadMeter,
  RejectLimit,
  Resources,
  runBatch,
  SourceKeys,
  type OpenSources,
} from '../worker/index.ts';

export interface LocalWorkerOptions {
  readonly store: Store;
  readonly plan: Plan;
  readonly runId: string;
  readonly seed: number;
  readonly name: string;
  readonly driver: DriverPort;
  readonly clock: Clock;
  /** Calls in flight, by step. */
  readonly concurrency: Readonly<Record<string, number>>;
  /** Whether steps continue beyond the reject limit. */
  readonly isRejectLimitLifted: boolean;
  /** Returns the logger of a step. */
  readonly userLog: (step: string) => Log;
  /** Returns the resource to open when a step asks for one. */
  readonly resourceFor: ((asked: Resource<unknown>) => Resource<unknown>) | undefined;
}

/** Makes a worker that runs the batches of all steps of a run in this process. */
export function localWorker(options: LocalWorkerOptions): Worker {
  const { plan, runId, seed, store, driver, clock } = options;
  const chunks = cacheChunks(store.chunks);
  const reader = rowReader({ log: store.log, chunks, logId: runLogId(runId), to: Number.MAX_SAFE_INTEGER, steps: plan.manifest.steps });
  const ended = new AbortController();
  const redact = planRedactor(plan);
  const userLog = (step: string) => redactedLog(options.userLog(step), redact);
  const resources = new Resources({
    signal: ended.signal,
    log: userLog(''),
    resourceFor: options.resourceFor,
    onUnawaited: (what, thrown) => {
      const message = `an error that nothing awaited stems from ${what}: ${redact(messageOf(thrown))}`;
      userLog('').warn(message);
      driver.wishPause(null, { reason: 'unhandled-rejection', message });
    },
  });
  const open: OpenSources = new Map();
  const load = new LoadMeter((step) => driver.freeLanes(step));
  const journalClock = new JournalClock();
  const undeclared = new Map<string, Set<string>>();
  const stopping = new AbortController();

  const stepOf = (name: string): RunnableStep => {
    const step = plan.steps.get(name);
    assert(step, `the plan has step ${name}`);
    return step;
  };
  const lanesOf = memoize((name: string) => new Lanes(options.concurrency[name] ?? stepOf(name).options.concurrency));
  const rejectLimitOf = memoize((_step: string) => new RejectLimit(options.isRejectLimitLifted));
  const newUndeclared = (name: string, keys: readonly string[]): readonly string[] => {
    const reportedKeys = undeclared.get(name) ?? new Set<string>();
    undeclared.set(name, reportedKeys);
    // Each row may have other keys, so only the first few are recorded: they show what is wrong.
    const newKeys = keys.map((key) => storableText(redact(key).slice(0, nameLengthMax))).filter((key) => !reportedKeys.has(key));
    const reported = [...new Set(newKeys)].slice(0, undeclaredMax - reportedKeys.size);
    for (const key of reported) reportedKeys.add(key);
    return reported;
  };

  const countOf = async (name: string): Promise<number | null> => {
    const step = stepOf(name);
    if (step.operator !== 'source' || !step.count) return null;
    try {
      const count = await step.count();
      return Number.isSafeInteger(count) && count >= 0 ? count : null;
    } catch (error) {
      userLog(name).warn(`count failed, so the run has no total: ${messageOf(error)}`);
      return null;
    }
  };
  // Once per process, because hashing a file takes as long as reading it.
  const origins = memoize(async (name: string) => {
    const step = stepOf(name);
    if (step.operator !== 'source' || !step.origin) return null;
    const origin = JSON.parse(canonicalJson(await step.origin())) as JsonObject;
    if (prototypeKeyIn(origin) !== null)
      throw new Fault('invalid-origin', 'the origin has a key called __proto__, which cannot be recorded: rename it');
    return origin;
  });
  /** An origin that cannot be read is only logged: if the source is unreadable, opening it fails with its own error. */
  const originOf = async (name: string): Promise<JsonObject | null> => {
    try {
      return await origins(name);
    } catch (error) {
      userLog(name).warn(`the origin of its rows cannot be read: ${messageOf(error)}`);
      return null;
    }
  };

  const keys = new Map<string, SourceKeys>();
  const keysOf = (name: string): SourceKeys => {
    const step = stepOf(name);
    assert(step.operator === 'source', `step ${name} is a source`);
    const sourceKeys = keys.get(name) ?? new SourceKeys(step);
    keys.set(name, sourceKeys);
    return sourceKeys;
  };

  const recordedRules = memoizeFulfilled(async (): Promise<{ readonly seeds: Seeds; readonly onTruncated: 'reject' | 'keep' }> => {
    for await (const page of store.log.read(runLogId(runId), { to: 1 }))
      for (const { type, data } of page) if (type === 'RunStarted') return { seeds: data.seeds, onTruncated: data.truncated ?? 'keep' };
    throw new Fault('unknown-run', `There is no run ${runId} in this store.`, { details: { run: runId } });
  });

  const retriedRows = retriedRowsReader({ log: store.log, chunks: store.chunks, logId: runLogId(runId) });

  // A worker's run is not paused while the worker runs, so all pauses are recorded before its first batch.
  const rejectLimits = memoizeFulfilled(async (name: string) => {
    let last = 0;
    for await (const page of store.log.read(runLogId(runId), { types: ['RunPaused'] }))
      for (const event of page)
        if (event.type === 'RunPaused' && event.data.reason === 'reject-limit' && event.data.step === name) last = event.position;
    return last;
  });

  return {
    name: options.name,
    load,
    run: ({ step, ...task }, abort) =>
      runBatch(
        { ...task, step: stepOf(step) },
        {
          runId,
          seed,
          seeds: async () => (await recordedRules(runId)).seeds,
          onTruncated: async () => (await recordedRules(runId)).onTruncated,
          log: store.log,
          chunks,
          reader,
          resources,
          clock,
          redact,
          userLog,
          journal: (event) => driver.recordProgress(event),
          wishPause: (wish) => driver.wishPause(step, wish),
          stopping: stopping.signal,
          abort,
          lanesOf,
          load,
          journalClock,
          rejectLimitOf,
          reconsiderUntil: rejectLimits,
          originOf,
          keysOf,
          newUndeclared,
        },
        open,
      ),
    sourceFacts: async (name) => ({ count: await countOf(name), origin: await originOf(name) }) as NewEvent<'StepStarted'>['data'],
    retriedRows,
    sourceRows: (name) => {
      const { cut } = stepOf(name);
      return cut.kind === 'source' ? cut.rows : 0;
    },
    onRecorded: (events: readonly RecordedEvent[]) => {
      for (const event of events) {
        if (event.type === 'BatchSucceeded') reader.note(event);
        if (event.type === 'BatchSucceeded' || event.type === 'BatchFailed') load.forget(event.step, event.batch);
      }
    },
    stop: () => {
      stopping.abort(new Fault('interrupted', 'the run was stopped'));
    },
    close: async () => {
      for (const name of Array.from(open.keys())) await closeSource(open, name);
      for (const ofSource of keys.values()) ofSource.close();
      ended.abort();
      await resources.close();
    },
  };
}
