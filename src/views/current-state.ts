import { runLogId, type Holder, type Store } from '../log/index.ts';
import { readStates } from './run-states.ts';
import type { RunStates } from '../../projections/index.ts';

/** A run as of one moment: the end of its log, its states there, and the process that drives it. */
export interface CurrentState {
  readonly position: number;
  readonly recordedAt: string;
  readonly status: string;
  /** The run's states as of `position`. */
  readonly states: RunStates;
  readonly holder: Holder | null;
  /** Whether the log says that the run is running while no process drives it. */
  readonly interrupted: boolean;
  /** The process that drove an interrupted run last, as `user@host:pid`; null for other runs. */
  readonly lastDriver: string | null;
}

/** Maximum number of reads of a run whose log grows while no process seems to drive it. */
const readsMax = 20;

/**
 * Returns a run's status and its driver as of one moment. They are read one after the other, and a driver may finish or start in between. So a run counts
 * as interrupted only if its log has not grown since its driver was read. Otherwise both are read again.
 */
export async function currentState(store: Store, runId: string): Promise<CurrentState> {
  for (let read = 1; ; read++) {
    const head = await store.log.head(runLogId(runId));
    const position = head?.position ?? 0;
    const states = await readStates(store, runId, position);
    const { status } = states.graph;
    const holder = await store.log.holder(runId);
    const seen = { position, recordedAt: head?.recordedAt ?? '', status, states, holder };
    if (status !== 'running' || holder !== null) return { ...seen, interrupted: false, lastDriver: null };
    const isUnchanged = (await store.log.head(runLogId(runId)))?.position === position;
    if (isUnchanged) return { ...seen, interrupted: true, lastDriver: await store.log.lastWriter(runLogId(runId)) };
    if (read >= readsMax) return { ...seen, interrupted: false, lastDriver: null };
  }
}
