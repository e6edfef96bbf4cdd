import { runLogId, type Store } from '../log/index.ts';
import { followToRest, readStates, stepViews, type Ending, type RunStates } from '../views/index.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { liveProgress } from './live-progress.ts';

/** Milliseconds between two lines of JSON. */
const lineEveryMs = 1_000;

/** Displays a run that another process drives, until it is at rest or interrupted, or until Ctrl-C. Redraws on a terminal, else prints lines or JSON lines. */
export async function watchRun(context: CommandContext, store: Store, runId: string, { json }: CommonOptions): Promise<Ending> {
  const position = (await store.log.head(runLogId(runId)))?.position ?? 0;
  const states = await readStates(store, runId, position);
  const { terminal } = context;
  if (json) {
    const printDue = jsonLines(terminal.printJson, runId);
    printDue(position, states);
    return runUntilInterrupt(context, (signal) =>
      followToRest(store, runId, {
        from: position,
        states,
        signal,
        onEvents: (events, after) => printDue(events.at(-1)?.position ?? position, after),
      }),
    );
  }
  const live = liveProgress({ runId, states, position, terminal });
  try {
    return await runUntilInterrupt(context, (signal) =>
      followToRest(store, runId, { from: position, states, signal, onEvents: live.report }),
    );
  } finally {
    live.done();
  }
}

/** Runs `work` with a signal that Ctrl-C aborts. */
export async function runUntilInterrupt<T>(
  { onInterrupt }: Pick<CommandContext, 'onInterrupt'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  onInterrupt(() => stop.abort());
  try {
    return await work(stop.signal);
  } finally {
    onInterrupt(null);
  }
}

/** Returns the exit code of a command that has followed a run. */
export function exitCodeOfEnding(ending: Ending): number {
  if (ending.kind === 'left') return exitCodes.done;
  return ending.kind === 'interrupted' ? exitCodes.failed : exitCodeOf(ending.status);
}

/** Returns a function that prints a run's steps as JSON, at most once per interval. */
function jsonLines(printJson: (value: unknown) => void, runId: string): (position: number, states: RunStates) => void {
  let printedAt = 0;
  return (position, states) => {
    if (Date.now() - printedAt < lineEveryMs) return;
    printedAt = Date.now();
    const steps = stepViews(states).map(({ name, state, batches, rows, usage }) => ({ name, state, batches, rows, usage }));
    printJson({ runId, status: states.graph.status, position, steps });
  };
}
