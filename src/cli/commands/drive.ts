import { canRetry, thisActor } from '../../engine/index.ts';
import { messageOf } from '../../kit/fault.ts';
import type { PostgresStore } from '../../postgres/index.ts';
import type { DrivenRun, Rest } from '../../scheduler/index.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { liveProgress, type LiveProgress } from '../live-progress.ts';
import { formatCount } from '../numbers.ts';
import { rejectedBeforePause } from '../rejected-before-pause.ts';
import { stepViews, type RunStates } from '../../views/index.ts';
import { stepTable, usageLine } from './status.ts';
import { containUserCode, stepLog } from '../user-code.ts';
import type { EngineOptions } from '../../engine/index.ts';

/** Starts or resumes a run, given what the engine is to be told. */
export type Begin = (options: Required<Pick<EngineOptions, 'onRecorded' | 'onAway' | 'userLog'>>) => Promise<DrivenRun>;

/** Drives a run to rest with everything that a person at a terminal sees and does: progress, Ctrl-C, the result. */
export async function drive(context: CommandContext, store: PostgresStore, options: CommonOptions, begin: Begin): Promise<void> {
  const { terminal } = context;
  let live: LiveProgress | null = null;
  const note = (line: string) => (live ? live.note(line) : terminal.note(line));
  if (store.appendOnlyBy === 'trigger') terminal.note(ownerNote);
  const restore = containUserCode();
  context.goOnWithoutOutput();
  try {
    const run = await begin({
      onRecorded: (events, states) => live?.recorded(events, states),
      onAway: (error) => note(error ? awayNote(error) : 'The store answers again; the run goes on.'),
      userLog: stepLog(terminal, note),
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
    else conclude(context, run, rest, position);
  } finally {
    live?.done();
    context.onInterrupt(null);
    restore();
  }
}

/** Said once a run to a login that may do more than append. */
const ownerNote =
  'warning: this login owns the log, so only triggers keep its history. Log in as a role that was admitted (distilog_app): it may append, and change nothing.';

const awayNote = (error: Error): string =>
  `The store does not answer (${messageOf(error)}). The run waits for it and then goes on; nothing is lost. Ctrl-C three times ends the waiting.`;

function interrupt(run: DrivenRun, count: number, note: (line: string) => void): void {
  if (count === 1) {
    note('Stopping: calls in flight may end, and nothing is lost. Once more aborts them.');
    run.stop({ kind: 'pause', reason: 'asked', message: 'interrupted at the terminal', step: null, actor: thisActor() });
  } else {
    note('Aborting calls in flight.');
    run.abort();
  }
}

/** Says how rejected rows are tried again, and which cannot be. */
export function retryHint({ graph, progress }: Pick<RunStates, 'graph' | 'progress'>, runId: string): readonly string[] {
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
      ? [`To try ${stay.length > 0 ? `${formatCount(count(again))} of them` : these} again: distilog retry ${runId}${steps}`]
      : []),
    ...(stay.length > 0
      ? [
          `${stay.length < lossy.length ? `The ${formatCount(count(stay))} of` : count(stay) === 1 ? 'The one of' : 'Those of'} ${stay.map(({ name }) => name).join(', ')} cannot be tried again in this run.`,
        ]
      : []),
  ];
}

/** The end of a run in words: what there is, what was lost, what to do next. */
function conclude({ terminal }: CommandContext, run: DrivenRun, rest: Rest, position: number): void {
  const { print, printText, paint } = terminal;
  const { runId } = run;
  const states = run.states();
  print('');
  print(stepTable(stepViews(states), terminal));
  const consumed = usageLine(states.usage);
  if (consumed !== '') print(consumed);
  print('');
  const style = rest === 'succeeded' ? 'green' : rest === 'failed' || rest === 'cancelled' ? 'red' : 'yellow';
  print(`${paint(style, rest)} at position ${formatCount(position)}.`);
  const { paused } = states.graph;
  if (rest === 'paused' && paused) {
    if (paused.reason !== 'asked') printText(paused.message);
    if (paused.reason === 'reject-limit') {
      for (const sentence of rejectedBeforePause(states)) print(sentence);
      print(`Batches that were open keep all of their rows. Fix the cause, then run: distilog resume ${runId}`);
    } else print(`Nothing is lost${paused.reason === 'asked' ? '' : '; mend it'}. To go on: distilog resume ${runId}`);
  }
  const rejected = Object.values(states.progress.steps).reduce((sum, step) => sum + step.rows.rejected, 0);
  if (rejected > 0)
    print(
      `${rejected === 1 ? '1 row was rejected, with its' : `${formatCount(rejected)} rows were rejected, each with its`} cause: distilog errors ${runId}`,
    );
  if (rejected > 0 && rest !== 'paused') for (const line of retryHint(states, runId)) print(line);
  if (rest !== 'paused') print(paint('dim', `The dataset: distilog distiset ${runId} --out dataset`));
}
