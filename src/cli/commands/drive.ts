import { canRetry, thisActor } from '../../engine/index.ts';
import { messageOf } from '../../kit/fault.ts';
import type { PostgresStore } from '../../postgres/index.ts';
import type { DrivenRun, Rest } from '../../scheduler/index.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { liveProgress, type LiveProgress } from '../live-progress.ts';
import { formatCount } from '../numbers.ts';
import { describeRejectedBeforePause } from '../rejected-before-pause.ts';
import { stepViews, type RunStates } from '../../views/index.ts';
import { renderSteps, renderUsage } from './status.ts';
import { containUserCode, createStepLog } from '../user-code.ts';
import type { EngineOptions } from '../../engine/index.ts';

/** Starts or resumes a run with the callbacks of a terminal. */
export type StartRun = (options: Required<Pick<EngineOptions, 'onRecorded' | 'onAway' | 'userLog'>>) => Promise<DrivenRun>;

/** Drives a run to rest at a terminal: shows its progress, handles Ctrl-C and prints the result. */
export async function drive(context: CommandContext, store: PostgresStore, options: CommonOptions, start: StartRun): Promise<void> {
  const { terminal } = context;
  let live: LiveProgress | null = null;
  const note = (line: string) => (live ? live.note(line) : terminal.note(line));
  if (store.appendOnlyBy === 'trigger') terminal.note(ownerNote);
  const restore = containUserCode('The run did not end. To continue it: distilog resume');
  context.goOnWithoutOutput();
  try {
    const run = await start({
      onRecorded: (events, states) => live?.report(events, states),
      onAway: (error) => note(error ? awayNote(error) : 'The store answers again. The run continues.'),
      userLog: createStepLog(terminal, note),
    });
    if (options.json) terminal.printJson({ runId: run.runId });
    else terminal.print(run.runId);
    const head = await store.log.head(run.runId);
    live = options.json ? null : liveProgress({ runId: run.runId, states: run.states(), position: head?.position ?? 0, terminal });
    context.onInterrupt((count) => interrupt(run, count, note));
    const { rest, position } = await run.drive();
    live?.done();
    live = null;
    restore();
    context.exit(exitCodeOf(rest));
    if (options.json) terminal.printJson({ runId: run.runId, outcome: rest, position });
    else printResult(context, run, rest, position);
  } finally {
    live?.done();
    context.onInterrupt(null);
    restore();
  }
}

/** Printed once per run if the login may do more than append. */
const ownerNote =
  'warning: This login owns the log, so only triggers protect it. Log in as a role with the rights of distilog_app: it may append and cannot change anything.';

const awayNote = (error: Error): string =>
  `The store does not answer (${messageOf(error)}). The run waits for it and then continues; nothing is lost. To stop waiting, press Ctrl-C three times.`;

function interrupt(run: DrivenRun, count: number, note: (line: string) => void): void {
  if (count === 1) {
    note('Stopping when the calls in flight have ended; nothing is lost. To abort them, press Ctrl-C again.');
    run.stop({ kind: 'pause', reason: 'asked', message: 'interrupted at the terminal', step: null, actor: thisActor() });
  } else {
    note('Aborting calls in flight.');
    run.abort();
  }
}

/** Returns sentences that say how to retry rejected rows, and which rows cannot be retried. */
export function describeRetry({ graph, progress }: Pick<RunStates, 'graph' | 'progress'>, runId: string): readonly string[] {
  const lossy = graph.order
    .map((name) => ({ name, rejected: progress.steps[name]?.rows.rejected ?? 0 }))
    .filter((step) => step.rejected > 0);
  const again = lossy.filter(({ name }) => canRetry(graph, name));
  const stay = lossy.filter(({ name }) => !canRetry(graph, name));
  const count = (steps: typeof lossy) => steps.reduce((sum, { rejected }) => sum + rejected, 0);
  const steps = stay.length > 0 ? again.map(({ name }) => ` --step ${name}`).join('') : '';
  const these = count(again) === 1 ? 'it' : 'them';
  return [
    ...(again.length > 0
      ? [`To retry ${stay.length > 0 ? `${formatCount(count(again))} of them` : these}: distilog retry ${runId}${steps}`]
      : []),
    ...(stay.length > 0
      ? [
          `${stay.length < lossy.length ? `The ${formatCount(count(stay))}` : count(stay) === 1 ? 'The row' : 'The rows'} of ${stay.length === 1 ? 'step' : 'steps'} ${stay.map(({ name }) => name).join(', ')} cannot be retried in this run.`,
        ]
      : []),
  ];
}

/** Prints how a run ended: its steps, its losses and the next command. */
function printResult({ terminal }: CommandContext, run: DrivenRun, rest: Rest, position: number): void {
  const { print, printText, paint } = terminal;
  const { runId } = run;
  const states = run.states();
  print('');
  print(renderSteps(stepViews(states), terminal));
  const consumed = renderUsage(states.usage);
  if (consumed !== '') print(consumed);
  print('');
  const style = rest === 'succeeded' ? 'green' : rest === 'failed' || rest === 'cancelled' ? 'red' : 'yellow';
  print(`${paint(style, rest)} at position ${formatCount(position)}.`);
  const { paused } = states.graph;
  if (rest === 'paused' && paused) {
    if (paused.reason !== 'asked') printText(paused.message);
    if (paused.reason === 'reject-limit') {
      for (const sentence of describeRejectedBeforePause(states)) print(sentence);
      print(`Open batches keep all of their rows. Fix the cause, then run: distilog resume ${runId}`);
    } else
      print(`No rows were lost. ${paused.reason === 'asked' ? 'To continue' : 'Fix the cause above, then run'}: distilog resume ${runId}`);
  }
  const rejected = Object.values(states.progress.steps).reduce((sum, step) => sum + step.rows.rejected, 0);
  if (rejected > 0)
    print(`${rejected === 1 ? '1 row was' : `${formatCount(rejected)} rows were`} rejected. For the causes: distilog errors ${runId}`);
  if (rejected > 0 && rest !== 'paused') for (const line of describeRetry(states, runId)) print(line);
  if (rest !== 'paused') print(paint('dim', `To export the dataset: distilog distiset ${runId} --out dataset`));
}
