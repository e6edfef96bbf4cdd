import { errors, type ErrorsState } from './errors.ts';
import { graph } from './graph/graph.ts';
import type { GraphState } from './graph/state.ts';
import { progress, type ProgressState } from './progress.ts';
import type { Projection } from './projection.ts';
import { timeline, type TimelineState } from './timeline.ts';
import { usage, type UsageState } from './usage.ts';

/** All projections of a run's log. A driver takes snapshots of each. */
export const projections: readonly Projection<unknown>[] = [graph, progress, errors, usage, timeline];

/** The states of all projections of a run as of one position. A run is driven and shown from them. */
export interface RunStates {
  readonly graph: GraphState;
  readonly progress: ProgressState;
  readonly errors: ErrorsState;
  readonly usage: UsageState;
  readonly timeline: TimelineState;
}

/** Returns states by the name of their projection. The argument has them in the order of `projections`. */
export function nameStates(states: readonly unknown[]): RunStates {
  return Object.fromEntries(projections.map(({ name }, index) => [name, states[index]])) as unknown as RunStates;
}
