import { findRetryObstacle, type GraphState } from '../../projections/index.ts';
import type { ManifestStep } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';
import type { Plan } from '../pipeline/index.ts';
import type { RejectedRow } from '../rows/index.ts';
import { reopenRun, type DrivenRun, type Reopening, type ReopenOptions } from '../scheduler/index.ts';
import { countTried, triedAgain, type TriedCounts } from './tried-again.ts';
import { pausedByUnhandledErrors } from './unhandled-errors.ts';
import type { EngineOptions } from './engine-options.ts';
import { driveContext, newDefinition, type DefinitionOptions } from './run-pipeline.ts';

export interface RetryOptions extends EngineOptions, DefinitionOptions, Pick<ReopenOptions, 'runId' | 'acceptedChanges' | 'concurrency'> {
  /** Steps whose rejected rows are tried again; default: all. */
  readonly steps?: readonly string[] | undefined;
  /** Causes; default: all. */
  readonly codes?: readonly string[] | undefined;
}

/**
 * Tries rejected rows of a finished run again, in a new pass: each step gets its own, then what was rescued above it. Earlier positions show what they
 * showed. Refused, as a `Fault`: `run-not-over`, `nothing-rejected`, `unknown-step`, `not-exact` where a step below makes rows of many together, so that
 * it would have to forget what it made.
 */
export async function retryPipeline(store: Store, plan: Plan, options: RetryOptions): Promise<DrivenRun> {
  const { runId, acceptedChanges, concurrency, steps, codes } = options;
  const definition = newDefinition(plan, options);
  const run = await reopenRun(
    driveContext(store, plan, options),
    { runId, acceptedChanges, concurrency, definition, loaded: plan.loaded },
    (before, { position }) => reopening(store, { runId, before, position, steps, codes, manifest: plan.manifest.steps }),
  );
  return pausedByUnhandledErrors(run, plan, options);
}

interface Wanted {
  readonly runId: string;
  readonly before: GraphState;
  readonly position: number;
  readonly steps: readonly string[] | undefined;
  readonly codes: readonly string[] | undefined;
  readonly manifest: readonly ManifestStep[];
}

async function reopening(store: Store, wanted: Wanted): Promise<Reopening> {
  const { runId, before, position, steps, codes, manifest } = wanted;
  refuseIfNotOver(runId, before);
  const unknown = steps?.find((name) => !Object.hasOwn(before.steps, name));
  if (unknown !== undefined)
    throw new Fault('unknown-step', `Run ${runId} has no step ${unknown}. Its steps: ${before.order.join(', ')}.`, {
      details: { step: unknown },
    });
  const isTried = ({ step, code }: RejectedRow) =>
    (steps?.includes(step) ?? true) && (codes?.includes(code) ?? true) && canBeTried(before, step);
  const rows = { runId, before, position, manifest, isTried };
  const counts = await countTried(store, rows);
  if (counts.rejected.length === 0) {
    const { rejected } = await countTried(store, { ...rows, isTried: () => true });
    throw nothingRejected(wanted, rejected);
  }
  for (const name of counts.batches.keys()) refuseIfNotExact(before, name);
  return { steps: steps ?? [], codes: codes ?? null, until: {}, ...(await triedAgain(store, rows, counts)) };
}

function refuseIfNotOver(runId: string, { status }: GraphState): void {
  if (status === 'succeeded' || status === 'partial' || status === 'failed') return;
  const what =
    status === 'cancelled' ? 'was cancelled: start a new one' : `is ${status}: let it come to its end first, distilog resume ${runId}`;
  throw new Fault('run-not-over', `Run ${runId} ${what}. Rejected rows are tried again once a run is over.`, {
    details: { run: runId, status },
  });
}

/**
 * Returns whether rejected rows of a step can be tried again: their input is stored, the step has ended, the run was not cancelled, and nothing below makes
 * rows of many together.
 */
export const canRetry = (graph: GraphState, step: string): boolean =>
  graph.status !== 'cancelled' && canBeTried(graph, step) && findRetryObstacle(graph, step) === null;

/** A source's items were never stored, and a step that failed does not go on. */
function canBeTried({ steps }: GraphState, name: string): boolean {
  const step = steps[name];
  return step?.status === 'finished' && step.plan.upstream.length > 0;
}

function nothingRejected({ runId, steps, codes }: Wanted, all: TriedCounts['rejected']): Fault {
  const there = all.map(({ step, code, rows }) => `${step}: ${code} (${rows})`).join(', ');
  const asked = [steps && `of step ${steps.join(', ')}`, codes && `with ${codes.join(', ')}`].filter(Boolean).join(' ');
  const message =
    all.length === 0
      ? `No row of run ${runId} is rejected: there is nothing to try again.`
      : `No rejected row of run ${runId} ${asked} can be tried again. There are: ${there}. A source's own rows were never stored, and a step that failed does not go on.`;
  return new Fault('nothing-rejected', message.replaceAll('  ', ' '), { details: { run: runId } });
}

/** What a step makes of many rows together would be another thing with more rows, and is in the dataset as it is. */
function refuseIfNotExact(before: GraphState, from: string): void {
  const why = findRetryObstacle(before, from);
  if (why?.kind !== 'merged') return;
  throw new Fault(
    'not-exact',
    `Rows of step ${from} cannot be tried again: step ${why.step} (${before.steps[why.step]?.plan.operator}) below it makes rows of many together, and those are in the dataset as they are. Start a new run, or retry other steps with --step.`,
    { details: { step: why.step } },
  );
}
