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
import { foldAllAtEach, runLogId, type Store } from '../log/index.ts';

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

/** Reads all states of a run as of a position: one query for the snapshots, and one pass over the events behind them. */
export async function readStates(store: Pick<Store, 'log' | 'snapshots'>, runId: string, position: number): Promise<RunStates> {
  const [states] = await readStatesAt(store, runId, [position]);
  return states as RunStates;
}

/** Reads all states of a run as of each of several positions, in their order. No event is read twice. */
export async function readStatesAt(
  store: Pick<Store, 'log' | 'snapshots'>,
  runId: string,
  positions: readonly number[],
): Promise<readonly RunStates[]> {
  const folds = [graph, progress, errors, usage, timeline] as const;
  const found = await foldAllAtEach<[GraphState, ProgressState, ErrorsState, UsageState, TimelineState]>(
    store,
    folds,
    runLogId(runId),
    positions,
  );
  return found.map(([graphState, progressState, errorsState, usageState, timelineState]) => ({
    graph: graphState,
    progress: progressState,
    errors: errorsState,
    usage: usageState,
    timeline: timelineState,
  }));
}
