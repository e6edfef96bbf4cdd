import { findRetryObstacle, type GraphState } from '../../projections/index.ts';
import type { ManifestStep } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';
import type { Plan } from '../pipeline/index.ts';
import type { RejectedRow } from '../rows/index.ts';
import { retryRun, type DrivenRun, type RetryPass, type ReopenOptions } from '../scheduler/index.ts';
import { countRetried, storePass, type RetriedCounts } from './retried-rows.ts';
import { pauseOnUnhandledErrors } from './unhandled-errors.ts';
import type { EngineOptions } from './engine-options.ts';
import { driveContext, newDefinition, type DefinitionOptions } from './run-pipeline.ts';

export interface RetryOptions extends EngineOptions, DefinitionOptions, Pick<ReopenOptions, 'runId' | 'acceptedChanges' | 'concurrency'> {
  /** Steps whose rejected rows are retried. Default: all. */
  readonly steps?: readonly string[] | undefined;
  /** Reject codes of the rows to retry. Default: all. */
  readonly codes?: readonly string[] | undefined;
}

/**
 * Retries rejected rows of a finished run in a new pass: each step gets its own rejected rows, then the rows that succeeded above it. States as of
 * earlier positions do not change. Throws a `Fault`: `run-not-over`, `nothing-rejected`, `unknown-step`, or `not-exact` if a step below makes rows from many
 * together, because it would have to replace rows that it has made.
 */
export async function retryPipeline(store: Store, plan: Plan, options: RetryOptions): Promise<DrivenRun> {
  const { runId, acceptedChanges, concurrency, steps, codes } = options;
  const definition = newDefinition(plan, options);
  const run = await retryRun(
    driveContext(store, plan, options),
    { runId, acceptedChanges, concurrency, definition, loaded: plan.loaded },
    (before, { position }) => findPass(store, { runId, before, position, steps, codes, manifest: plan.manifest.steps }),
  );
  return pauseOnUnhandledErrors(run, plan, options);
}

interface RetryRequest {
  readonly runId: string;
  readonly before: GraphState;
  readonly position: number;
  readonly steps: readonly string[] | undefined;
  readonly codes: readonly string[] | undefined;
  readonly manifest: readonly ManifestStep[];
}

async function findPass(store: Store, request: RetryRequest): Promise<RetryPass> {
  const { runId, before, position, steps, codes, manifest } = request;
  requireOver(runId, before);
  const unknown = steps?.find((name) => !Object.hasOwn(before.steps, name));
  if (unknown !== undefined)
    throw new Fault('unknown-step', `Run ${runId} has no step ${unknown}. Its steps: ${before.order.join(', ')}.`, {
      details: { step: unknown },
    });
  const isRetried = ({ step, code }: RejectedRow) =>
    (steps?.includes(step) ?? true) && (codes?.includes(code) ?? true) && hasRetriableInput(before, step);
  const rows = { runId, before, position, manifest, isRetried };
  const counts = await countRetried(store, rows);
  if (counts.rejected.length === 0) {
    const { rejected } = await countRetried(store, { ...rows, isRetried: () => true });
    throw nothingRejectedFault(request, rejected);
  }
  for (const name of counts.batches.keys()) requireExact(before, name);
  return { steps: steps ?? [], codes: codes ?? null, until: {}, ...(await storePass(store, rows, counts)) };
}

function requireOver(runId: string, { status }: GraphState): void {
  if (status === 'succeeded' || status === 'partial' || status === 'failed') return;
  const message =
    status === 'cancelled'
      ? `Run ${runId} was cancelled, so its rejected rows cannot be retried. Start a new run.`
      : `Run ${runId} is ${status}. Rejected rows can be retried once it is over. To finish it: distilog resume ${runId}`;
  throw new Fault('run-not-over', message, { details: { run: runId, status } });
}

/**
 * Returns whether rejected rows of a step can be retried: their input is stored, the step has ended, the run was not cancelled, and no step below makes
 * rows from many together.
 */
export const canRetry = (graph: GraphState, step: string): boolean =>
  graph.status !== 'cancelled' && hasRetriableInput(graph, step) && findRetryObstacle(graph, step) === null;

/** Returns whether a step finished and its input is stored. A source's items are not stored, and a failed step does not continue. */
function hasRetriableInput({ steps }: GraphState, name: string): boolean {
  const step = steps[name];
  return step?.status === 'finished' && step.plan.upstream.length > 0;
}

function nothingRejectedFault({ runId, steps, codes }: RetryRequest, all: RetriedCounts['rejected']): Fault {
  const groups = all.map(({ step, code, rows }) => `${step}: ${code} (${rows})`).join(', ');
  const selection = [steps && `of step ${steps.join(', ')}`, codes && `with ${codes.join(', ')}`].filter(Boolean).join(' ');
  const message =
    all.length === 0
      ? `Run ${runId} has no rejected rows, so there is nothing to retry.`
      : `No rejected row of run ${runId} ${selection} can be retried. Rejected rows: ${groups}. Rows of a source or a failed step cannot be retried.`;
  return new Fault('nothing-rejected', message.replaceAll('  ', ' '), { details: { run: runId } });
}

/** Throws `Fault('not-exact')` if a step below makes rows from many together: they would differ with more input, but are in the dataset already. */
function requireExact(before: GraphState, from: string): void {
  const obstacle = findRetryObstacle(before, from);
  if (obstacle?.kind !== 'merged') return;
  throw new Fault(
    'not-exact',
    `Rows of step ${from} cannot be retried: step ${obstacle.step} (${before.steps[obstacle.step]?.plan.operator}) below it makes rows from many together, and these are in the dataset already. Start a new run, or retry other steps with --step.`,
    { details: { step: obstacle.step } },
  );
}
