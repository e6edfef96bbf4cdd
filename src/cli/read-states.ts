import { errors, graph, progress, timeline, usage } from '../../projections/index.ts';
import { foldAllAt, runLogId, type Store } from '../log/index.ts';
import type { RunStates } from './run-view.ts';

/** All states of a run as of a position. */
export async function readStates(store: Store, runId: string, position: number): Promise<RunStates> {
  const [graphState, progressState, errorsState, usageState, timelineState] = await foldAllAt<
    [RunStates['graph'], RunStates['progress'], RunStates['errors'], RunStates['usage'], RunStates['timeline']]
  >(store, [graph, progress, errors, usage, timeline], runLogId(runId), position);
  return { graph: graphState, progress: progressState, errors: errorsState, usage: usageState, timeline: timelineState };
}
