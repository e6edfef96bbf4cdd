import { errors, type ErrorsState } from './errors.ts';
import { graph } from './graph/graph.ts';
import type { GraphState } from './graph/state.ts';
import { progress, type ProgressState } from './progress.ts';
import type { Projection } from './projection.ts';
import { timeline, type TimelineState } from './timeline.ts';
import { usage, type UsageState } from './usage.ts';

/** Every projection of a run's log. A driver takes snapshots of each. */
export const projections: readonly Projection<unknown>[] = [graph, progress, errors, usage, timeline];

/** States of a run from which it is driven and shown, all as of one position. */
export interface RunStates {
  readonly graph: GraphState;
  readonly progress: ProgressState;
  readonly errors: ErrorsState;
  readonly usage: UsageState;
  readonly timeline: TimelineState;
}

/** Returns the states of all `projections`, given in their order, by name. */
export function runStates(states: readonly unknown[]): RunStates {
  return Object.fromEntries(projections.map(({ name }, index) => [name, states[index]])) as unknown as RunStates;
}
