import {
  errors,
  graph,
  progress,
  rowsPerSecond,
  timeline,
  totalUsage,
  usage,
  type ErrorsState,
  type GraphState,
  type ProgressState,
  type StepProgress,
  type TimelineState,
  type UsageState,
} from '../../projections/index.ts';
import type { RecordedEvent, Usage } from '../../schema/index.ts';

/** The states that faces show a run from. */
export interface RunStates {
  readonly graph: GraphState;
  readonly progress: ProgressState;
  readonly errors: ErrorsState;
  readonly usage: UsageState;
  readonly timeline: TimelineState;
}

/** The states after one more event. */
export const evolveRun = (states: RunStates, event: RecordedEvent): RunStates => ({
  graph: graph.evolve(states.graph, event),
  progress: progress.evolve(states.progress, event),
  errors: errors.evolve(states.errors, event),
  usage: usage.evolve(states.usage, event),
  timeline: timeline.evolve(states.timeline, event),
});

/** One step, shaped for a face. */
export interface StepView {
  readonly name: string;
  readonly operator: string;
  /** waiting, running, finished, failed or blocked. */
  readonly state: string;
  readonly leaf: boolean;
  readonly batches: StepProgress['batches'];
  readonly retries: number;
  readonly rows: StepProgress['rows'];
  /** Input rows that are to come in all, as far as can be told; null: unknown. */
  readonly expected: number | null;
  readonly rowsPerSecond: number | null;
  readonly usage: Usage | null;
}

/** A run's steps, in order, as of a state. */
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

/** Tokens that went into and came out of all steps' calls. */
export const tokensOf = (steps: readonly StepView[]): number =>
  steps.reduce((sum, { usage: of }) => sum + (of ? of.inputTokens + of.outputTokens : 0), 0);

/** Rows that will go into a step: what is upstream of it, times what came through so far. */
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
