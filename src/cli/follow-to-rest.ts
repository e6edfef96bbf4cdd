import { graph, type GraphState } from '../../projections/index.ts';
import type { RecordedEvent } from '../../schema/index.ts';
import { pause } from '../kit/pause.ts';
import { foldAt, follow, runLogId, type Store } from '../log/index.ts';
import type { CommandContext } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

/** How the watching of a run ended: it is at rest, nobody drives it any more, or the person who watched left. */
export type Ending =
  | { readonly kind: 'rest'; readonly status: Exclude<GraphState['status'], 'absent' | 'running'> }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'left' };

/** How often it is looked whether a run that says it is running is driven, and how many looks in a row must find that it is not, nor has new events. */
const lookEveryMs = 1_000;
const looksMax = 2;

/** Tells a run's events behind a position as they come, until it rests, is interrupted, or Ctrl-C. */
export async function followToRest(
  context: Pick<CommandContext, 'onInterrupt'>,
  store: Store,
  runId: string,
  { from, onEvents }: { readonly from: number; readonly onEvents: (events: readonly RecordedEvent[]) => Promise<void> | void },
): Promise<Ending> {
  const stop = new AbortController();
  let ending: Ending = { kind: 'left' };
  let state = await foldAt(store, graph, runLogId(runId), from);
  let seen = from;
  const rested = () => {
    if (state.status === 'running' || state.status === 'absent') return false;
    ending = { kind: 'rest', status: state.status };
    return true;
  };
  context.onInterrupt(() => stop.abort());
  const watch = watchDriver(store, runId, {
    signal: stop.signal,
    position: () => seen,
    lost: () => {
      if (!rested()) ending = { kind: 'interrupted' };
      stop.abort();
    },
  });
  // A store that is away is told of where its events are read.
  watch.catch(() => undefined);
  try {
    if ((await store.log.head(runLogId(runId)))?.position === from && rested()) return ending;
    for await (const page of follow(store.log, runLogId(runId), { from: from + 1, signal: stop.signal })) {
      await onEvents(page);
      for (const event of page) state = graph.evolve(state, event);
      seen = page.at(-1)?.position ?? seen;
      if (rested() && (await store.log.head(runLogId(runId)))?.position === seen) break;
    }
    return ending;
  } finally {
    stop.abort();
    context.onInterrupt(null);
    await watch;
  }
}

interface Watching {
  readonly signal: AbortSignal;
  /** The last position that was told. */
  readonly position: () => number;
  readonly lost: () => void;
}

/** Looks whether anybody drives a run, for so long as it has events to tell. */
async function watchDriver({ log }: Store, runId: string, { signal, position, lost }: Watching): Promise<void> {
  let missed = 0;
  let before = position();
  while (!signal.aborted) {
    await pause(lookEveryMs, signal);
    if (signal.aborted) return;
    const isDriven = (await log.holder(runId)) !== null;
    // Events that are recorded and not told yet may hold the end.
    const isBehind = (await log.head(runLogId(runId)))?.position !== position();
    missed = isDriven || isBehind || position() !== before ? 0 : missed + 1;
    before = position();
    if (missed >= looksMax) lost();
  }
}

/** The exit code of a command that watched a run. */
export function exitCodeOfEnding(ending: Ending): number {
  if (ending.kind === 'left') return exitCodes.done;
  return ending.kind === 'interrupted' ? exitCodes.failed : exitCodeOf(ending.status);
}
