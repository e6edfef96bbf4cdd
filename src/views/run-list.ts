import { graph } from '../../projections/index.ts';
import { foldAt, runLogId, type Holder, type RunEntry, type Store } from '../log/index.ts';
import { currentState } from './current-state.ts';

/** A run as an entry of the list of runs. */
export interface ListedRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: string;
  /** Whether the log says that the run is running while no process drives it. Null as of a time in the past, because it is unknown then. */
  readonly interrupted: boolean | null;
  readonly startedAt: string;
  readonly position: number;
  readonly lastEventAt: string;
  readonly driver: string | null;
  /** The time since which that driver has held the run. */
  readonly drivenSince: string | null;
  /** The process that drove an interrupted run last. */
  readonly lastDriver: string | null;
}

/** Returns a run as an entry of the list, as of now or of an instant, or null if it had not started by then. */
export async function listedRun(
  store: Store,
  { runId, pipeline, startedAt, head, holder }: RunEntry,
  instant: number | null,
): Promise<ListedRun | null> {
  const position = instant === null ? head.position : await store.log.positionAt(runLogId(runId), instant);
  if (position === 0) return null;
  const { status } = await foldAt(store, graph, runLogId(runId), position);
  // The list reads the drivers after the heads, so a driver may have finished or started in between.
  if (instant === null && status === 'running' && holder === null) {
    const { recordedAt, ...current } = await currentState(store, runId);
    return toListedRun({ runId, pipeline, startedAt }, { ...current, lastEventAt: recordedAt });
  }
  const lastEventAt =
    instant === null ? head.recordedAt : ((await store.log.asOf(runLogId(runId), position))?.recordedAt ?? head.recordedAt);
  const interrupted = instant === null ? false : null;
  const driver = instant === null ? holder : null;
  return toListedRun({ runId, pipeline, startedAt }, { status, position, lastEventAt, interrupted, holder: driver, lastDriver: null });
}

type ReadState = Pick<ListedRun, 'status' | 'position' | 'lastEventAt' | 'interrupted' | 'lastDriver'> & { readonly holder: Holder | null };

const toListedRun = (
  run: Pick<ListedRun, 'runId' | 'pipeline' | 'startedAt'>,
  { holder, status, position, lastEventAt, ...seen }: ReadState,
): ListedRun => ({
  ...run,
  status,
  interrupted: seen.interrupted,
  position,
  lastEventAt,
  driver: holder && `${holder.user}@${holder.host}:${holder.pid}`,
  drivenSince: holder && holder.since,
  lastDriver: seen.lastDriver,
});
