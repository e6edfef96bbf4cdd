import type { GraphState, RunStates } from '../../projections/index.ts';
import type { RecordedEvent } from '../../schema/index.ts';
import { pause } from '../kit/pause.ts';
import { follow, runLogId, type Store } from '../log/index.ts';
import { evolveRun, readStates } from './run-states.ts';

/** How following a run ended: the run is at rest, no process drives it, or the caller aborted. */
export type Ending =
  | { readonly kind: 'rest'; readonly status: Exclude<GraphState['status'], 'absent' | 'running'> }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'left' };

export interface FollowToRestOptions {
  /** The events after this position are reported. */
  readonly from: number;
  /** The run's states as of `from`. Default: they are read. */
  readonly states?: RunStates | undefined;
  /** Stops following without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Receives each page of events, with the states after it. */
  readonly onEvents: (events: readonly RecordedEvent[], states: RunStates) => Promise<void> | void;
}

/** Milliseconds between two checks of whether a run is driven. */
const checkEveryMs = 1_000;
/** Checks in a row that must find neither a driver nor a new event before the run counts as interrupted. */
const checksMax = 2;

/** Reports a run's events after a position as they are recorded, until the run is at rest or interrupted, or the signal aborts. */
export async function followToRest(
  store: Store,
  runId: string,
  { from, states: before, signal, onEvents }: FollowToRestOptions,
): Promise<Ending> {
  const logId = runLogId(runId);
  const stop = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let ending: Ending = { kind: 'left' };
  let states = before ?? (await readStates(store, runId, from));
  let seen = from;
  const isAtRest = () => {
    const { status } = states.graph;
    if (status === 'running' || status === 'absent') return false;
    ending = { kind: 'rest', status };
    return true;
  };
  const watch = watchDriver(store, runId, {
    signal: stopped,
    position: () => seen,
    onLost: () => {
      if (!isAtRest()) ending = { kind: 'interrupted' };
      stop.abort();
    },
  });
  // If the store does not answer, the loop below throws the error.
  watch.catch(() => undefined);
  try {
    if ((await store.log.head(logId))?.position === from && isAtRest()) return ending;
    for await (const page of follow(store.log, logId, { from: from + 1, signal: stopped })) {
      for (const event of page) states = evolveRun(states, event);
      await onEvents(page, states);
      seen = page.at(-1)?.position ?? seen;
      if (isAtRest() && (await store.log.head(logId))?.position === seen) break;
    }
    return ending;
  } finally {
    stop.abort();
    await watch;
  }
}

interface DriverWatch {
  readonly signal: AbortSignal;
  /** Returns the last position that was reported. */
  readonly position: () => number;
  readonly onLost: () => void;
}

/** Checks whether a process drives a run, for as long as its events are followed. */
async function watchDriver({ log }: Store, runId: string, { signal, position, onLost }: DriverWatch): Promise<void> {
  let missed = 0;
  let before = position();
  while (!signal.aborted) {
    await pause(checkEveryMs, signal);
    if (signal.aborted) return;
    const isDriven = (await log.holder(runId)) !== null;
    // Recorded events that were not reported yet may contain the end.
    const isBehind = (await log.head(runLogId(runId)))?.position !== position();
    missed = isDriven || isBehind || position() !== before ? 0 : missed + 1;
    before = position();
    if (missed >= checksMax) onLost();
  }
}
