import {
  errors,
  graph,
  progress,
  timeline,
  usage,
  type ErrorsState,
  type GraphState,
  type ProgressState,
  type TimelineState,
  type UsageState,
} from '../../projections/index.ts';
import type { RecordedEvent } from '../../schema/index.ts';
import { foldAll, runLogId, type Store } from '../log/index.ts';

/** States from which faces show a run, all as of one position. */
export interface RunStates {
  readonly graph: GraphState;
  readonly progress: ProgressState;
  readonly errors: ErrorsState;
  readonly usage: UsageState;
  readonly timeline: TimelineState;
}

/** Returns the states after one more event. */
export const evolveRun = (states: RunStates, event: RecordedEvent): RunStates => ({
  graph: graph.evolve(states.graph, event),
  progress: progress.evolve(states.progress, event),
  errors: errors.evolve(states.errors, event),
  usage: usage.evolve(states.usage, event),
  timeline: timeline.evolve(states.timeline, event),
});

/** Reads all states of a run as of a position. */
export async function readStates(store: Pick<Store, 'log' | 'snapshots'>, runId: string, position: number): Promise<RunStates> {
  const [graphState, progressState, errorsState, usageState, timelineState] = await foldAll<
    [GraphState, ProgressState, ErrorsState, UsageState, TimelineState]
  >(store, [graph, progress, errors, usage, timeline], runLogId(runId), position);
  return { graph: graphState, progress: progressState, errors: errorsState, usage: usageState, timeline: timelineState };
}
