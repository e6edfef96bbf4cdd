import { totalUsage, type GraphState, type TimelineState, type RunStates } from '../../projections/index.ts';
import type { Usage } from '../../schema/index.ts';
import type { AsOf, Holder } from '../log/index.ts';
import type { CurrentState } from './current-state.ts';
import { stepViews, type StepView } from './step-views.ts';

/** Tokens, calls and costs of calls. */
type UsageSummary = Pick<Usage, 'inputTokens' | 'outputTokens' | 'calls' | 'costUsd' | 'thrownAway'>;

/** A run as of a position: its status, its steps and its timeline. */
export interface RunSummary {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: GraphState['status'];
  /** Whether the log says that the run is running while no process drives it. Null as of a position in the past. */
  readonly interrupted: boolean | null;
  readonly driver: Holder | null;
  readonly lastDriver: string | null;
  readonly paused: GraphState['paused'];
  readonly asOf: AsOf;
  readonly usage: UsageSummary;
  readonly steps: readonly (Pick<StepView, 'name' | 'operator' | 'state' | 'leaf' | 'batches' | 'retries' | 'rows'> & {
    readonly usage: UsageSummary | null;
  })[];
  readonly timeline: TimelineState['entries'];
}

/** Returns the summary of a run from its states. `live` is its current state, or null for a position in the past. */
export function runSummary({
  runId,
  asOf,
  states,
  live,
}: {
  readonly runId: string;
  readonly asOf: AsOf;
  readonly states: RunStates;
  readonly live: CurrentState | null;
}): RunSummary {
  const { pipeline, status, paused } = states.graph;
  return {
    runId,
    pipeline,
    status,
    interrupted: live?.interrupted ?? null,
    driver: live?.holder ?? null,
    lastDriver: live?.lastDriver ?? null,
    paused,
    asOf,
    usage: usageSummary(totalUsage(states.usage)),
    steps: stepViews(states).map(({ name, operator, state, leaf, batches, retries, rows, usage }) => ({
      name,
      operator,
      state,
      leaf,
      batches,
      retries,
      rows,
      usage: usage && usageSummary(usage),
    })),
    timeline: states.timeline.entries,
  };
}

const usageSummary = ({ inputTokens, outputTokens, calls, costUsd, thrownAway }: Usage): UsageSummary => ({
  inputTokens,
  outputTokens,
  calls,
  costUsd,
  thrownAway,
});
