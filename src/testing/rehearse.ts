import { createDistiset, losses, type FailedBatch, type LostRow } from '../distiset/index.ts';
import { startPipeline, thisActor } from '../engine/index.ts';
import type { JsonObject } from '../kit/json.ts';
import { foldAt, memoryStore, resolveAsOf, runLogId, type Store } from '../log/index.ts';
import { plan, resource, type Log, type ParamsOf, type Pipeline, type Plan, type Resource, type RowsOf } from '../pipeline/index.ts';
import { totalUsage, usage } from '../../projections/index.ts';
import type { Rest } from '../scheduler/index.ts';
import type { RecordedEvent, Usage } from '../../schema/index.ts';
import { rehearsedPlan, type PlanChanges } from './rehearsed-plan.ts';

/** Options of `rehearse`. */
export interface RehearsalOptions<P extends Pipeline = Pipeline> extends PlanChanges {
  readonly params?: ParamsOf<P> | undefined;
  /** The seed of all randomness. Default 1, so that a rehearsal is the same every time. */
  readonly seed?: number | undefined;
  /** Values that steps get instead of resources, by the resources' ids. They are not closed. */
  readonly resources?: Readonly<Record<string, unknown>> | undefined;
  /** Ends the rehearsal early. Calls in flight are aborted, and the results so far are returned. */
  readonly signal?: AbortSignal | undefined;
  /** Returns the logger of a step. By default its lines are dropped. */
  readonly userLog?: ((step: string) => Log) | undefined;
}

/** A rejected row with its cause. */
export interface RejectedInRehearsal extends Omit<LostRow, 'kind' | 'pass' | 'input'> {
  /** The step's input row, or null for a source. */
  readonly input: JsonObject | null;
}

/** The result of a rehearsal. */
export interface Rehearsal<P extends Pipeline = Pipeline> {
  readonly outcome: Rest;
  /** Rows of the nodes that the definition returns, by the names that it uses. If it returns none: rows of all leaves, by step. */
  readonly rows: { readonly [K in keyof RowsOf<P>]: readonly RowsOf<P>[K][] };
  /** Rows of every step, by its name. */
  readonly steps: Readonly<Record<string, readonly JsonObject[]>>;
  readonly rejected: readonly RejectedInRehearsal[];
  /** Batches that were given up, with their causes. */
  readonly failedBatches: readonly Omit<FailedBatch, 'kind' | 'pass' | 'inputs'>[];
  /** The total of all reported usage. */
  readonly usage: Usage;
  readonly events: readonly RecordedEvent[];
}

/**
 * Runs a pipeline on the real engine with a log in memory, for tests of pipelines. It needs no database and stores nothing. It has no reject limit and does not
 * wait between attempts. Throws `Fault('invalid-pipeline')`, `Fault('invalid-params')`, `Fault('invalid-rehearsal')`.
 */
export async function rehearse<P extends Pipeline>(pipeline: P, options: RehearsalOptions<P> = {}): Promise<Rehearsal<P>> {
  const { params, seed = 1, resources = {}, signal, userLog } = options;
  const planned = rehearsedPlan(plan(pipeline, { params }), options);
  const store = memoryStore();
  const run = await startPipeline(store, planned, { seed, isRejectLimitLifted: true, resourceFor: createSubstitution(resources), userLog });
  const stop = () => {
    run.stop({ kind: 'pause', reason: 'asked', message: 'the rehearsal was ended', step: null, actor: thisActor() });
    run.abort();
  };
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  try {
    const { rest, position } = await run.drive();
    const steps = await readRows(store, run.runId, [...planned.steps.keys()]);
    const returnedSteps = planned.returned.size > 0 ? [...planned.returned] : listLeaves(planned).map((name) => [name, name] as const);
    return {
      outcome: rest,
      rows: Object.fromEntries(returnedSteps.map(([name, step]) => [name, steps[step] ?? []])) as unknown as Rehearsal<P>['rows'],
      steps,
      ...(await readLosses(store, run.runId, position)),
      usage: totalUsage(await foldAt(store, usage, runLogId(run.runId), position)),
      events: (await Array.fromAsync(store.log.read(runLogId(run.runId)))).flat(),
    };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Returns a function that replaces resources by id, so that every copy of a resource gets the same substitute. */
function createSubstitution(values: Readonly<Record<string, unknown>>): (original: Resource<unknown>) => Resource<unknown> {
  const replacements = new Map(
    Object.entries(values).map(([id, value]) => [
      id,
      resource(
        id,
        () => value,
        () => undefined,
      ),
    ]),
  );
  return (original) => replacements.get(original.id) ?? original;
}

async function readRows(store: Store, runId: string, names: readonly string[]): Promise<Rehearsal['steps']> {
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'head' });
  const { configs } = await createDistiset(store, runId, { asOf, steps: names });
  return Object.fromEntries(await Promise.all(configs.map(async ({ step, rows }) => [step, await Array.fromAsync(rows())] as const)));
}

const listLeaves = ({ manifest }: Plan): readonly string[] =>
  manifest.steps.map(({ name }) => name).filter((name) => !manifest.steps.some(({ upstream }) => upstream.includes(name)));

async function readLosses(store: Store, runId: string, to: number): Promise<Pick<Rehearsal, 'rejected' | 'failedBatches'>> {
  const rejected: RejectedInRehearsal[] = [];
  const failedBatches: Omit<FailedBatch, 'kind' | 'pass' | 'inputs'>[] = [];
  for await (const loss of losses(store, runId, to)) {
    if (loss.kind === 'batch') {
      const { step, batch, position, code, message, attempts, rows } = loss;
      failedBatches.push({ step, batch, position, code, message, attempts, rows });
    } else {
      const { step, batch, position, code, message, attempts, row, input } = loss;
      rejected.push({ step, batch, row, position, code, message, attempts, input: await input() });
    }
  }
  return { rejected, failedBatches };
}
