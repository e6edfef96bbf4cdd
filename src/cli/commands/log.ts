import type { Command } from 'commander';
import { describeReopening } from '../../../projections/index.ts';
import { catalogue, isEventType, type EventType, type RecordedEvent } from '../../../schema/index.ts';
import { Fault } from '../../kit/fault.ts';
import { canonicalJson } from '../../kit/json.ts';
import { follow, runLogId, sideLogId } from '../../log/index.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun, findStep } from '../../views/index.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatCount, formatDuration } from '../numbers.ts';
import { shorten } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { addStoreCommand, repeatableOption } from '../command-options.ts';

/** Registers `distilog log`. */
export function registerLog(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'log [run]', 'Print the events of a run, one per line')
    .option('--follow', 'Keep printing new events until interrupted')
    .addOption(repeatableOption('--type <type>', 'Print only events of this type; may be repeated'))
    .option('--step <step>', 'Print only events of this step')
    .option('--from <as-of>', 'Start at this position or time')
    .option('--to <as-of>', 'Stop after this position or time')
    .option('--side', 'Print the side log instead: requests, exports, late results')
    .action((which, options) => log(context, which, options));
}

interface LogOptions extends CommonOptions {
  readonly follow?: boolean | undefined;
  readonly type?: readonly string[] | undefined;
  readonly step?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly side?: boolean | undefined;
}

/** `distilog log`: prints the events of a run, one per line. */
async function log(context: CommandContext, run: string | undefined, options: LogOptions): Promise<void> {
  const types = options.type?.map(parseEventType);
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const logId = options.side ? sideLogId(runId) : runLogId(runId);
    const from = options.from === undefined ? 1 : (await resolveAsOfOption(store, runId, options.from)).position;
    const to = options.to === undefined || options.side ? undefined : (await resolveAsOfOption(store, runId, options.to)).position;
    const step = options.step === undefined ? undefined : await findStep(store, runId, options.step);
    const isWanted = (event: RecordedEvent) =>
      (types === undefined || types.includes(event.type)) && (step === undefined || ('step' in event && event.step === step));
    const stop = new AbortController();
    if (options.follow) context.onInterrupt(() => stop.abort());
    const pages = options.follow
      ? follow(store.log, logId, { from, signal: stop.signal })
      : store.log.read(logId, { from, to, types, step });
    for await (const page of pages) {
      for (const event of page.filter(isWanted)) {
        if (options.json) context.terminal.printJson(event, canonicalJson);
        else context.terminal.print(renderEvent(event, context.terminal));
      }
    }
  });
}

function parseEventType(name: string): EventType {
  if (isEventType(name)) return name;
  throw new Fault('unknown-event-type', `There is no event type ${name}. The event types are: ${Object.keys(catalogue).join(', ')}.`);
}

function renderEvent(event: RecordedEvent, { width, paint, isInteractive }: Terminal): string {
  const place =
    'step' in event
      ? `${event.step}${'batch' in event ? `/${event.batch}` : ''}${'attempt' in event && event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`
      : '';
  const bad = event.type === 'BatchFailed' || event.type === 'StepFailed' || event.type === 'BatchAbandoned' || event.type === 'RunPaused';
  const head = `${String(event.position).padStart(6)}  ${formatLocalTime(event.recordedAt)}  `;
  const name = event.type.padEnd(16);
  const rest = shorten([place, summarize(event)].filter(Boolean).join('  '), isInteractive ? width - head.length - name.length : 10_000);
  return `${paint('dim', head)}${bad ? paint('yellow', name) : name}${rest}`;
}

/** Summarizes an event in a few words. */
function summarize(event: RecordedEvent): string {
  switch (event.type) {
    case 'RunStarted':
      return `pipeline ${event.data.manifest.pipeline}, ${event.data.manifest.steps.length} steps, seed ${event.data.seed}`;
    case 'RunResumed':
      return `${event.data.reason} by ${event.data.actor.user}@${event.data.actor.host}:${event.data.actor.pid}, epoch ${event.data.epoch}`;
    case 'RunReopened':
      return describeReopening(event);
    case 'RunPaused':
      return `${event.data.reason}: ${event.data.message}`;
    case 'RunCancelled':
      return event.data.message;
    case 'RunFinished':
      return event.data.outcome;
    case 'SnapshotsTaken':
      return `states as of position ${event.data.position}`;
    case 'StepStarted':
      return event.data.count === null ? '' : `${formatCount(event.data.count)} items`;
    case 'StepFinished':
      return '';
    case 'StepFailed':
      return `${event.data.error.code}: ${event.data.error.message}`;
    case 'BatchStarted':
      return `${formatCount(event.data.rows)} rows${event.data.alone ? ', alone' : ''}`;
    case 'BatchProgressed':
      return `${formatCount(event.data.rows)} rows so far${event.data.checkpoints > 0 ? `, ${formatCount(event.data.checkpoints)} checkpoints` : ''}`;
    case 'BatchSucceeded': {
      const { rows, rejected, elapsedMs } = event.data;
      return `${formatCount(rows)} rows${rejected.count > 0 ? `, ${formatCount(rejected.count)} rejected` : ''}, ${formatDuration(elapsedMs)}`;
    }
    case 'BatchFailed': {
      const { error, pending, retryInMs } = event.data;
      const next = retryInMs === null ? 'not retried' : retryInMs > 0 ? `retried in ${formatDuration(retryInMs)}` : 'retried next';
      return `${error.code}: ${error.message}; ${formatCount(pending)} rows pending, ${next}`;
    }
    case 'BatchAbandoned':
      return 'its driver stopped without a result';
    case 'PauseRequested':
    case 'CancelRequested':
      return `${event.data.message} by ${event.data.actor.user}@${event.data.actor.host}:${event.data.actor.pid}`;
    case 'DistisetWritten':
      return `as of ${event.data.asOf.position} to ${event.data.directory}: ${event.data.configs.map(({ name, rows }) => `${name} ${formatCount(rows)} rows`).join(', ')}`;
    case 'LateResult':
      return `${formatCount(event.data.rows)} rows arrived after another driver took over`;
  }
}
