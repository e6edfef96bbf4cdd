import { createDistiset, losses, type FailedBatch, type LostRow } from '../distiset/index.ts';
import { startPipeline, thisActor } from '../engine/index.ts';
import type { JsonObject } from '../kit/json.ts';
import { foldAt, memoryStore, resolveAsOf, runLogId, type Store } from '../log/index.ts';
import { plan, resource, type Log, type ParamsOf, type Pipeline, type Plan, type Resource, type RowsOf } from '../pipeline/index.ts';
import { totalUsage, usage } from '../../projections/index.ts';
import type { Rest } from '../scheduler/index.ts';
import type { RecordedEvent, Usage } from '../../schema/index.ts';
import { rehearsedPlan, type PlanChanges } from './rehearsed-plan.ts';

/** What a rehearsal may be told. */
export interface RehearsalOptions<P extends Pipeline = Pipeline> extends PlanChanges {
  readonly params?: ParamsOf<P> | undefined;
  /** Of everything random. Default 1, so that a rehearsal comes out the same every time. */
  readonly seed?: number | undefined;
  /** Values that steps get in place of resources, by the resources' ids. They are not closed. */
  readonly resources?: Readonly<Record<string, unknown>> | undefined;
  /** Ends it early: calls in flight are aborted, and what was done by then is returned. */
  readonly signal?: AbortSignal | undefined;
  /** Where steps' log lines go; default: nowhere. */
  readonly userLog?: ((step: string) => Log) | undefined;
}

/** A row that was given up, with its cause. */
export interface RejectedInRehearsal extends Omit<LostRow, 'kind' | 'pass' | 'input'> {
  /** The row as it went into the step; null for a source's. */
  readonly input: JsonObject | null;
}

/** What a rehearsal came to. */
export interface Rehearsal<P extends Pipeline = Pipeline> {
  readonly outcome: Rest;
  /** Rows of the nodes that the definition returns, by the names that it gives them; of all leaves, by step, where it returns none. */
  readonly rows: { readonly [K in keyof RowsOf<P>]: readonly RowsOf<P>[K][] };
  /** Rows of every step, by its name. */
  readonly steps: Readonly<Record<string, readonly JsonObject[]>>;
  readonly rejected: readonly RejectedInRehearsal[];
  /** Batches that were given up, and why. */
  readonly failedBatches: readonly Omit<FailedBatch, 'kind' | 'pass' | 'inputs'>[];
  /** What calls reported, all in all. */
  readonly usage: Usage;
  readonly events: readonly RecordedEvent[];
}

/**
 * Runs a pipeline on the real engine, with a log in memory: nothing is stored, no database is needed. For tests of pipelines. However many rows a step
 * rejects, it goes on; between attempts it does not wait. Throws `Fault('invalid-pipeline')`, `Fault('invalid-params')`, `Fault('invalid-rehearsal')`.
 */
export async function rehearse<P extends Pipeline>(pipeline: P, options: RehearsalOptions<P> = {}): Promise<Rehearsal<P>> {
  const { params, seed = 1, resources = {}, signal, userLog } = options;
  const planned = rehearsedPlan(plan(pipeline, { params }), options);
  const store = memoryStore();
  const run = await startPipeline(store, planned, { seed, isRejectLimitLifted: true, resourceFor: substitutes(resources), userLog });
  const stop = () => {
    run.stop({ kind: 'pause', reason: 'asked', message: 'the rehearsal was ended', step: null, actor: thisActor() });
    run.abort();
  };
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  try {
    const { rest, position } = await run.drive();
    const steps = await rowsOf(store, run.runId, [...planned.steps.keys()]);
    const named = planned.returned.size > 0 ? [...planned.returned] : leavesOf(planned).map((name) => [name, name] as const);
    return {
      outcome: rest,
      rows: Object.fromEntries(named.map(([name, step]) => [name, steps[step] ?? []])) as unknown as Rehearsal<P>['rows'],
      steps,
      ...(await lossesOf(store, run.runId, position)),
      usage: totalUsage(await foldAt(store, usage, runLogId(run.runId), position)),
      events: (await Array.fromAsync(store.log.read(runLogId(run.runId)))).flat(),
    };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** One substitute per id, whichever copy of the resource a step asks for. */
function substitutes(values: Readonly<Record<string, unknown>>): (asked: Resource<unknown>) => Resource<unknown> {
  const instead = new Map(
    Object.entries(values).map(([id, value]) => [
      id,
      resource(
        id,
        () => value,
        () => undefined,
      ),
    ]),
  );
  return (asked) => instead.get(asked.id) ?? asked;
}

async function rowsOf(store: Store, runId: string, names: readonly string[]): Promise<Rehearsal['steps']> {
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'head' });
  const { configs } = await createDistiset(store, runId, { asOf, steps: names });
  return Object.fromEntries(await Promise.all(configs.map(async ({ step, rows }) => [step, await Array.fromAsync(rows())] as const)));
}

const leavesOf = ({ manifest }: Plan): readonly string[] =>
  manifest.steps.map(({ name }) => name).filter((name) => !manifest.steps.some(({ upstream }) => upstream.includes(name)));

async function lossesOf(store: Store, runId: string, to: number): Promise<Pick<Rehearsal, 'rejected' | 'failedBatches'>> {
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
