import { errors, graph, progress, timeline, usage } from '#projections';
import { foldAt, runLogId, type Store } from '#log';
import type { RunStates } from './run-view.ts';

/** All states of a run as of a position. */
export async function readStates(store: Store, runId: string, position: number): Promise<RunStates> {
  const logId = runLogId(runId);
  const [graphState, progressState, errorsState, usageState, timelineState] = await Promise.all([
    foldAt(store, graph, logId, position),
    foldAt(store, progress, logId, position),
    foldAt(store, errors, logId, position),
    foldAt(store, usage, logId, position),
    foldAt(store, timeline, logId, position),
  ]);
  return { graph: graphState, progress: progressState, errors: errorsState, usage: usageState, timeline: timelineState };
}
