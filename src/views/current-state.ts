import { runLogId, type Holder, type Store } from '../log/index.ts';
import { readStates } from './run-states.ts';
import type { RunStates } from '../../projections/index.ts';

/** A run as of one moment: where its log ends, what it says there, and who drives it. */
export interface CurrentState {
  readonly position: number;
  readonly recordedAt: string;
  readonly status: string;
  /** The run's states as of `position`. */
  readonly states: RunStates;
  readonly holder: Holder | null;
  /** The log says that the run is running, and no process drives it. */
  readonly interrupted: boolean;
  /** The process that drove it last, as `user@host:pid`, where it is interrupted. */
  readonly lastDriver: string | null;
}

/** How often a run is looked at whose log grows while no process seems to drive it. */
const looksMax = 20;

/**
 * Returns a run's status and its driver as of one moment. The two are asked for one after the other, and a driver may finish, or another begin, in between.
 * So a run counts as interrupted only if its log has not grown by the time that its driver was asked for; otherwise it is looked at again.
 */
export async function currentState(store: Store, runId: string): Promise<CurrentState> {
  for (let look = 1; ; look++) {
    const head = await store.log.head(runLogId(runId));
    const position = head?.position ?? 0;
    const states = await readStates(store, runId, position);
    const { status } = states.graph;
    const holder = await store.log.holder(runId);
    const seen = { position, recordedAt: head?.recordedAt ?? '', status, states, holder };
    if (status !== 'running' || holder !== null) return { ...seen, interrupted: false, lastDriver: null };
    const isStill = (await store.log.head(runLogId(runId)))?.position === position;
    if (isStill) return { ...seen, interrupted: true, lastDriver: await store.log.lastWriter(runLogId(runId)) };
    if (look >= looksMax) return { ...seen, interrupted: false, lastDriver: null };
  }
}
