import {
  rowsPerSecond,
  totalUsage,
  type GraphState,
  type ProgressState,
  type StepProgress,
  type RunStates,
} from '../../projections/index.ts';
import type { Usage } from '../../schema/index.ts';

/** Figures of one step, as a row of a step table. */
export interface StepView {
  readonly name: string;
  readonly operator: string;
  /** `waiting`, `running`, `finished`, `failed` or `blocked`. */
  readonly state: string;
  readonly leaf: boolean;
  readonly batches: StepProgress['batches'];
  readonly retries: number;
  readonly rows: StepProgress['rows'];
  /** Estimate of all input rows that the step will get, or null if there is no basis for one. */
  readonly expected: number | null;
  readonly rowsPerSecond: number | null;
  readonly usage: Usage | null;
}

/** Returns the step table of a run, in the order of the pipeline. */
export function stepViews({ graph, progress, usage }: RunStates): readonly StepView[] {
  return graph.order.flatMap((name) => {
    const step = graph.steps[name];
    const done = progress.steps[name];
    if (!step || !done) return [];
    const models = usage.steps[name];
    return {
      name,
      operator: step.plan.operator,
      state: step.blocked && step.status !== 'failed' ? 'blocked' : step.status,
      leaf: step.plan.consumers.length === 0,
      batches: done.batches,
      retries: done.retries,
      rows: done.rows,
      expected: expectedRows(graph, progress, name),
      rowsPerSecond: rowsPerSecond(done),
      usage: models ? totalUsage({ steps: { [name]: models } }) : null,
    };
  });
}

/** Returns the input and output tokens of all steps' calls. */
export const tokensOf = (steps: readonly StepView[]): number =>
  steps.reduce((sum, { usage: of }) => sum + (of ? of.inputTokens + of.outputTokens : 0), 0);

/** Estimates the input rows of a step: the expected input of the step above, times its output per input row so far. */
function expectedRows(graph: GraphState, progress: ProgressState, name: string): number | null {
  const step = graph.steps[name];
  const done = progress.steps[name];
  if (!step || !done) return null;
  if (step.status === 'finished' || step.status === 'failed') return done.rows.in;
  const [upstream] = step.plan.upstream;
  if (upstream === undefined) return done.count;
  const above = progress.steps[upstream];
  if (!above) return null;
  if (graph.steps[upstream]?.status === 'finished') return above.rows.out;
  const expected = expectedRows(graph, progress, upstream);
  if (expected === null) return null;
  return above.rows.in === 0 ? expected : Math.round((expected * above.rows.out) / above.rows.in);
}
