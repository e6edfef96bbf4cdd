import type { Command } from 'commander';
import { reopening } from '../../../projections/index.ts';
import { beginning } from '../../distiset/index.ts';
import type { Actor, EventType, RecordedEvent } from '../../../schema/index.ts';
import { Fault } from '../../kit/fault.ts';
import { canonicalJson } from '../../kit/json.ts';
import { runLogId, sideLogId, type RunEntry, type Store } from '../../log/index.ts';
import { changedFiles, definitionDiff, type StepChange } from '../../pipeline/index.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { localTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { notShownLine, runPage, type RunPageOptions } from '../run-page.ts';
import { recordedPipeline, type RecordedPipeline } from '../../views/index.ts';
import { wrapped } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { addRunPageOptions, addStoreCommand } from '../command-options.ts';

/** Registers `distilog history`. */
export function registerHistory(program: Command, context: CommandContext): void {
  addRunPageOptions(
    addStoreCommand(program, 'history <pipeline>', 'the runs of a pipeline: who did what, what changed, what was exported'),
  ).action((pipeline, options) => history(context, pipeline, options));
}

/** One thing that somebody did, or that a run came to. */
interface Entry {
  readonly recordedAt: string;
  readonly log: 'run' | 'side';
  readonly position: number;
  readonly type: EventType;
  /** As `user@host:pid`, where somebody did it. */
  readonly who: string | null;
  readonly what: string;
}

/** What differs from the run before. */
interface Changes {
  /** The run before; null for the first. */
  readonly since: string | null;
  /** Steps that are not as they were. */
  readonly steps: readonly Omit<StepChange, 'signature'>[];
  readonly files: readonly string[];
  /** Params whose value is another, or that came or went. */
  readonly params: readonly string[];
}

interface RunHistory {
  readonly runId: string;
  readonly status: string;
  readonly changes: Changes;
  readonly entries: readonly Entry[];
}

/** `distilog history`: the audit trail of a pipeline over its runs, the newest 20 unless asked otherwise, oldest first. */
export async function history(context: CommandContext, pipeline: string, options: CommonOptions & RunPageOptions): Promise<void> {
  await withStore(options, async (store) => {
    const { entries: page, ...rest } = await runPage(store, options, { pipeline });
    const oldest = page.at(-1);
    if (!oldest) await requireRuns(store, pipeline);
    const runs: RunHistory[] = [];
    let before = oldest ? await runBefore(store, oldest) : null;
    for (const entry of page.toReversed()) {
      const recorded: RecordedPipeline = await recordedPipeline(store, entry.runId);
      const entries = await entriesOf(store, entry.runId);
      runs.push({
        runId: entry.runId,
        status: statusOf(entries, entry),
        changes: await changesBetween(store, before, recorded.started),
        entries,
      });
      before = recorded;
    }
    if (options.json) context.terminal.printJson({ pipeline, runs, ...rest });
    else show(context.terminal, pipeline, { runs, notShown: notShownLine(rest) });
  });
}

/** The run of the same pipeline that came before one, as it was recorded: what the first one shown is compared with. */
async function runBefore(store: Store, { pipeline, ...run }: RunEntry): Promise<RecordedPipeline | null> {
  for await (const [older] of store.log.runs({ pipeline, before: run, pageMax: 1 })) if (older) return recordedPipeline(store, older.runId);
  return null;
}

/** Throws `Fault('unknown-pipeline')` where no run is of a pipeline. */
async function requireRuns(store: Store, pipeline: string): Promise<void> {
  if ((await store.log.countRuns({ pipeline })) > 0) return;
  const others = new Set<string>();
  for await (const page of store.log.runs()) for (const entry of page) others.add(entry.pipeline);
  const known = others.size > 0 ? `There are runs of ${[...others].sort().join(', ')}.` : 'There is no run in this store yet.';
  throw new Fault('unknown-pipeline', `No run in this store is of a pipeline called ${pipeline}. ${known}`, { details: { pipeline } });
}

const runTypes: readonly EventType[] = ['RunStarted', 'RunResumed', 'RunReopened', 'RunPaused', 'RunCancelled', 'RunFinished'];

/** What happened to a run and around it, in the order of time. */
async function entriesOf(store: Store, runId: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const read = async (log: Entry['log'], logId: string, types?: readonly EventType[]) => {
    for await (const page of store.log.read(logId, { types })) for (const event of page) entries.push(entryOf(event, log));
  };
  await read('run', runLogId(runId), runTypes);
  await read('side', sideLogId(runId));
  return entries.sort((a, b) => (a.recordedAt < b.recordedAt ? -1 : a.recordedAt > b.recordedAt ? 1 : 0));
}

function entryOf(event: RecordedEvent, log: Entry['log']): Entry {
  const actor: Actor | null = 'actor' in event.data ? event.data.actor : null;
  const { recordedAt, position, type } = event;
  return { recordedAt, log, position, type, who: actor ? `${actor.user}@${actor.host}:${actor.pid}` : null, what: wordsFor(event) };
}

function wordsFor(event: RecordedEvent): string {
  switch (event.type) {
    case 'RunStarted': {
      const { params, seed, program } = event.data;
      const given = Object.entries(params).map(([name, value]) => `${name}=${typeof value === 'string' ? value : canonicalJson(value)}`);
      return [...given, `seed ${seed}`, `distilog ${program.distilog}`].join(', ');
    }
    case 'RunResumed': {
      const { reason, from, acceptedChanges } = event.data;
      return [
        reason === 'taken-over' && from ? `taken over from ${from.user}@${from.host}:${from.pid}` : '',
        acceptedChanges.length > 0
          ? `changes accepted: ${acceptedChanges.map(({ step, kind, parts }) => changeOf({ step, kind, parts })).join('; ')}`
          : '',
      ]
        .filter(Boolean)
        .join('; ');
    }
    case 'RunReopened':
      return reopening(event);
    case 'RunPaused':
      return `${event.data.reason}: ${event.data.message}`;
    case 'RunFinished':
      return event.data.outcome;
    case 'RunCancelled':
    case 'PauseRequested':
    case 'CancelRequested':
      return event.data.message;
    case 'DistisetWritten': {
      const { asOf, directory, configs } = event.data;
      return `as of ${asOf.position} to ${directory}: ${configs.map(({ name, rows }) => `${name} ${formatCount(rows)} rows`).join(', ')}`;
    }
    case 'LateResult':
      return `${formatCount(event.data.rows)} rows came after the run was lost`;
    default:
      return '';
  }
}

/** How the run stands by what is told of it; one that says nothing of its end is running, or interrupted. */
function statusOf(entries: readonly Entry[], { holder }: RunEntry): string {
  const last = entries.findLast(({ log }) => log === 'run');
  if (last?.type === 'RunFinished') return last.what;
  if (last?.type === 'RunCancelled') return 'cancelled';
  if (last?.type === 'RunPaused') return 'paused';
  return holder === null ? 'interrupted' : 'running';
}

/** How a run began, against how the run before was recorded last. */
async function changesBetween(store: Store, before: RecordedPipeline | null, started: RecordedEvent<'RunStarted'>): Promise<Changes> {
  if (!before) return { since: null, steps: [], files: [], params: [] };
  const [, definition] = await beginning(store, started.logId);
  const steps = definitionDiff(before, { manifest: started.data.manifest, definition })
    .filter(({ kind }) => kind !== 'unchanged')
    .map(({ step, kind, parts }) => ({ step, kind, parts }));
  const [old, now] = [before.started.data.params, started.data.params];
  const text = (params: typeof old, name: string) => (Object.hasOwn(params, name) ? canonicalJson(params[name]) : '');
  const params = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => text(old, name) !== text(now, name)).sort();
  return { since: before.started.logId, steps, files: changedFiles(before.definition, definition), params };
}

const verbs: Readonly<Partial<Record<EventType, string>>> = {
  RunStarted: 'started',
  RunResumed: 'resumed',
  RunReopened: 'reopened',
  RunPaused: 'paused',
  RunCancelled: 'cancelled',
  RunFinished: 'finished',
  PauseRequested: 'pause asked',
  CancelRequested: 'cancel asked',
  DistisetWritten: 'exported',
  LateResult: 'late result',
};

function show(
  terminal: Terminal,
  pipeline: string,
  { runs, notShown }: { readonly runs: readonly RunHistory[]; readonly notShown: string | null },
): void {
  const { print, paint, width } = terminal;
  print(`${paint('bold', pipeline)}  ${formatCount(runs.length)} run${runs.length === 1 ? '' : 's'}, oldest first`);
  if (notShown !== null) print(paint('dim', notShown));
  for (const { runId, status, changes, entries } of runs) {
    const style =
      status === 'succeeded' ? 'green' : status === 'running' ? 'cyan' : status === 'partial' || status === 'paused' ? 'yellow' : 'red';
    print('');
    print(`${paint('bold', runId)}  ${paint(style, status)}`);
    for (const line of changeLines(changes)) for (const part of wrapped(line, width - 4)) print(`  ${part}`);
    print(entryLines(entries, terminal));
  }
}

/** An entry a line; where what was done does not fit beside who did it, it has lines of its own. */
function entryLines(entries: readonly Entry[], { paint, width }: Terminal): readonly string[] {
  const verbOf = ({ type }: Entry) => verbs[type] ?? type;
  const verbWidth = Math.max(...entries.map((entry) => verbOf(entry).length));
  const whoWidth = Math.max(...entries.map(({ who }) => who?.length ?? 0));
  return entries.flatMap((entry) => {
    const at = `  ${localTime(entry.recordedAt)}`;
    const verb = verbOf(entry).padEnd(verbWidth);
    const who = entry.who ?? '';
    const line = (by: string) => `${paint('dim', at)}  ${verb}  ${paint('dim', by)}${by === '' ? '' : '  '}`;
    const fits = (by: string) => [at, verb, by, entry.what].join('  ').length <= width;
    const beside = [who.padEnd(whoWidth), who].find(fits);
    if (beside !== undefined) return [`${line(beside)}${entry.what}`.trimEnd()];
    const indent = ' '.repeat(at.length + 2);
    return [line(who).trimEnd(), ...wrapped(entry.what, width - indent.length).map((part) => `${indent}${part}`)];
  });
}

/** What of the definition and its params is not as it was in the run before. */
function changeLines({ since, steps, files, params }: Changes): readonly string[] {
  if (since === null) return [];
  const followers = steps.filter(({ kind }) => kind === 'follows').map(({ step }) => step);
  const lines = [
    ...steps.filter(({ kind }) => kind !== 'follows').map(changeOf),
    ...(followers.length > 0 ? [`${followers.join(', ')}: what is above ${followers.length === 1 ? 'it' : 'them'} changed`] : []),
    ...(files.length > 0 ? [`files: ${files.join(', ')}`] : []),
    ...(params.length > 0 ? [`params: ${params.join(', ')}`] : []),
  ];
  return lines.length === 0 ? [`the same pipeline as in ${since}`] : [`changed since ${since}:`, ...lines.map((line) => `- ${line}`)];
}

const changeOf = ({ step, kind, parts }: Omit<StepChange, 'signature'>): string =>
  kind === 'changed' ? `${step}: ${parts.join(', ')} changed` : `${step}: ${kind}`;
