import type { RecordedEvent } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { followToRest, type Ending } from './follow-to-rest.ts';
import { liveProgress } from './live-progress.ts';
import { readStates } from './read-states.ts';
import { evolveRun, stepViews, type RunStates } from './run-view.ts';

/** The least time between two lines for machines. */
const lineEveryMs = 1_000;

/** Shows a run that moves elsewhere until it is at rest, interrupted, or Ctrl-C: redrawn on a terminal, lines elsewhere, one JSON object a line for machines. */
export async function watchRun(context: CommandContext, store: Store, runId: string, { json }: CommonOptions): Promise<Ending> {
  const position = (await store.log.head(runLogId(runId)))?.position ?? 0;
  const states = await readStates(store, runId, position);
  const { terminal } = context;
  if (json)
    return followToRest(context, store, runId, {
      from: position,
      onEvents: jsonLines(terminal.printJson, { runId, before: states, position }),
    });
  const live = liveProgress({ runId, states, position, terminal });
  try {
    return await followToRest(context, store, runId, { from: position, onEvents: live.recorded });
  } finally {
    live.done();
  }
}

function jsonLines(
  printJson: (value: unknown) => void,
  { runId, before, position }: { readonly runId: string; readonly before: RunStates; readonly position: number },
): (events: readonly RecordedEvent[]) => void {
  let states = before;
  let last = 0;
  const tell = (at: number) => {
    last = Date.now();
    const steps = stepViews(states).map(({ name, state, batches, rows, usage }) => ({ name, state, batches, rows, usage }));
    printJson({ runId, status: states.graph.status, position: at, steps });
  };
  tell(position);
  return (events) => {
    for (const event of events) states = evolveRun(states, event);
    if (Date.now() - last >= lineEveryMs) tell(events.at(-1)?.position ?? position);
  };
}
