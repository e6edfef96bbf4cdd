import type { Command } from 'commander';
import { totalUsage, type UsageState } from '../../../projections/index.ts';
import { Fault } from '../../kit/fault.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import {
  currentState,
  type CurrentState,
  findRun,
  readStates,
  type RunStates,
  runSummary,
  type StepView,
  stepViews,
} from '../../views/index.ts';
import { exitCodeOfEnding } from '../watch-run.ts';
import { formatAge, formatLocalTime } from '../local-time.ts';
import { formatCount, formatDollars } from '../numbers.ts';
import { describeRejectedBeforePause } from '../rejected-before-pause.ts';
import { shorten, renderTable } from '../table.ts';
import { watchRun } from '../watch-run.ts';
import type { Terminal } from '../terminal.ts';
import { runLogId, type AsOf, type Store } from '../../log/index.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog status`. */
export function registerStatus(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'status [run]', 'Show the steps of a run, their progress and losses')
    .option('--at <as-of>', 'Show the run as of this position or time (default: head)')
    .option('--follow', 'Show live progress until the run is at rest; exit with the code of its outcome')
    .action((which, options) => status(context, which, options));
}

interface StatusOptions extends CommonOptions {
  readonly at?: string | undefined;
  readonly follow?: boolean | undefined;
}

/** `distilog status`: shows the steps of a run as of a position, or live until the run is at rest. */
export async function status(context: CommandContext, run: string | undefined, options: StatusOptions): Promise<void> {
  if (options.follow && options.at !== undefined)
    throw new Fault('contradictory-options', '--at shows the past and --follow live progress. Give one of them.');
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    if (options.follow) context.exit(exitCodeOfEnding(await watchRun(context, store, runId, options)));
    // The driver is known only for the present.
    const live = options.at === undefined || options.at === 'head' ? await currentState(store, runId) : null;
    const asOf = await resolveAsOfOption(store, runId, live ? String(live.position) : options.at);
    const states = live?.states ?? (await readStates(store, runId, asOf.position));
    const notes = [...(await readNotes(store, runId, asOf)), ...describeRejectedBeforePause(states)];
    if (options.json) context.terminal.printJson({ ...runSummary({ runId, asOf, states, live }), notes });
    else show(context.terminal, { runId, asOf, states, live, notes });
  });
}

/** Returns notes on the log itself: times ahead of the clock, events of a newer version. */
async function readNotes(store: Store, runId: string, asOf: AsOf): Promise<readonly string[]> {
  const logId = runLogId(runId);
  const [unreliable, unknown] = await Promise.all([store.log.unreliableFrom(logId), store.log.unknownEvent(logId, asOf.position)]);
  return [
    unreliable !== null && unreliable <= asOf.position
      ? `times are unreliable from position ${unreliable} on, because the server's clock was set back; positions are exact`
      : '',
    unknown ? `position ${unknown.position} is left out: ${unknown.reason}` : '',
  ].filter(Boolean);
}

interface Shown {
  readonly runId: string;
  readonly asOf: AsOf;
  readonly states: RunStates;
  readonly live: CurrentState | null;
  readonly notes: readonly string[];
}

function show(terminal: Terminal, { runId, asOf, states, live, notes }: Shown): void {
  const { paint, print } = terminal;
  const { graph, timeline } = states;
  print(`${paint('bold', runId)}  ${describeStatus(states, live, paint)}`);
  print(
    paint(
      'dim',
      `as of position ${formatCount(asOf.position)}, ${formatLocalTime(asOf.recordedAt)}${terminal.width >= wideFrom ? ` (${asOf.recordedAt})` : ''}, hash ${asOf.hash.slice(0, 12)}…`,
    ),
  );
  if (graph.paused) print(paint('yellow', shorten(`paused (${graph.paused.reason}): ${graph.paused.message}`, terminal.width)));
  print('');
  print(renderSteps(stepViews(states), terminal));
  const consumed = renderUsage(states.usage);
  if (consumed !== '') print(consumed);
  print('');
  for (const note of notes) print(paint('yellow', `note: ${note}`));
  for (const { recordedAt, type, who, what, step } of timeline.entries.filter(({ step: of }) => of === null).slice(-timelineShown)) {
    print(
      paint(
        'dim',
        shorten(
          `${formatLocalTime(recordedAt)}  ${type}${step ? ` ${step}` : ''}  ${[what, who].filter(Boolean).join('  ')}`,
          terminal.width,
        ),
      ),
    );
  }
}

const timelineShown = 6;

function describeStatus({ graph, progress }: RunStates, live: CurrentState | null, paint: Terminal['paint']): string {
  if (live?.interrupted) {
    const since = progress.lastEventAt ? ` since ${formatLocalTime(progress.lastEventAt)} (${formatAge(progress.lastEventAt)})` : '';
    const last = live.lastDriver ? ` (last: ${live.lastDriver})` : '';
    return paint('red', `interrupted${since}: no process drives it${last}. To continue it, run: distilog resume`);
  }
  if (graph.status === 'running' && live?.holder)
    return `${paint('cyan', 'running')}, driven by ${live.holder.user}@${live.holder.host}, process ${live.holder.pid}, since ${formatLocalTime(live.holder.since)} (${formatAge(live.holder.since)})`;
  if (graph.status === 'running')
    return `running; last event at ${progress.lastEventAt ? formatLocalTime(progress.lastEventAt) : 'its start'}`;
  const style = graph.status === 'succeeded' ? 'green' : graph.status === 'failed' || graph.status === 'cancelled' ? 'red' : 'yellow';
  return paint(style, graph.status);
}

/** Returns a line with the total usage of all calls, or an empty text if no step reported any. */
export function renderUsage(state: UsageState): string {
  const { calls, inputTokens, outputTokens, costUsd, thrownAway } = totalUsage(state);
  if (inputTokens + outputTokens + costUsd === 0) return '';
  const cost = costUsd > 0 ? `, ${formatDollars(costUsd)}` : '';
  const lost = thrownAway.inputTokens + thrownAway.outputTokens;
  const wasted = lost > 0 ? `; ${formatCount(lost)} of them spent on calls that failed or were discarded` : '';
  return `tokens: ${formatCount(inputTokens)} in, ${formatCount(outputTokens)} out, in ${formatCount(calls)} call${calls === 1 ? '' : 's'}${cost}${wasted}`;
}

/** Narrowest terminal, in characters, that has room for every column. */
const wideFrom = 100;

/** Renders a table of steps with their state, progress and losses. */
export function renderSteps(steps: readonly StepView[], { paint, width }: Pick<Terminal, 'paint' | 'width'>): readonly string[] {
  const isWide = width >= wideFrom;
  const hasTokens = isWide && steps.some(({ usage }) => usage !== null && usage.inputTokens + usage.outputTokens > 0);
  const hasRetries = isWide && steps.some(({ retries }) => retries > 0);
  const columns = [
    { title: 'step' },
    ...(isWide ? [{ title: 'operator' } as const] : []),
    { title: 'state' },
    { title: 'batches', align: 'right' },
    ...(hasRetries ? [{ title: 'retried', align: 'right' } as const] : []),
    { title: 'rows in', align: 'right' },
    { title: 'rows out', align: 'right' },
    { title: 'rejected', align: 'right' },
    ...(hasTokens ? [{ title: 'tokens in', align: 'right' } as const, { title: 'tokens out', align: 'right' } as const] : []),
  ] as const;
  const rows = steps.map(({ name, operator, state, leaf, batches, retries, rows: { in: read, out, rejected }, usage }) => [
    leaf ? `${name} ${paint('dim', '(leaf)')}` : name,
    ...(isWide ? [operator] : []),
    paint(state === 'finished' ? 'green' : state === 'failed' || state === 'blocked' ? 'red' : state === 'running' ? 'cyan' : 'dim', state),
    `${formatCount(batches.succeeded)}${batches.running > 0 ? ` +${batches.running} running` : ''}${batches.failed > 0 ? ` ${batches.failed} failed` : ''}`,
    ...(hasRetries ? [retries > 0 ? formatCount(retries) : ''] : []),
    formatCount(read),
    formatCount(out),
    rejected > 0 ? paint('yellow', formatCount(rejected)) : '',
    ...(hasTokens ? [usage ? formatCount(usage.inputTokens) : '', usage ? formatCount(usage.outputTokens) : ''] : []),
  ]);
  return renderTable(columns, rows, (title) => paint('dim', title));
}
