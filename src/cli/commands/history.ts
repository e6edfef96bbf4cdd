import type { Command } from 'commander';
import type { EventType } from '../../../schema/index.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { notShownLine, readRunPage, type RunPageOptions } from '../run-page.ts';
import { describeChange, type HistoryEntry, type PipelineChanges, type RunHistory, runHistories } from '../../views/index.ts';
import { wrap } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { addRunPageOptions, addStoreCommand } from '../command-options.ts';

/** Registers `distilog history`. */
export function registerHistory(program: Command, context: CommandContext): void {
  addRunPageOptions(
    addStoreCommand(
      program,
      'history <pipeline>',
      'Show the audit trail of a pipeline: who ran it, what changed between runs, what was exported',
    ),
  ).action((pipeline, options) => history(context, pipeline, options));
}

/** `distilog history`: shows the audit trail of a pipeline over its runs, by default the newest 20, oldest first. */
export async function history(context: CommandContext, pipeline: string, options: CommonOptions & RunPageOptions): Promise<void> {
  await withStore(options, async (store) => {
    const { entries, ...rest } = await readRunPage(store, options, { pipeline });
    const runs = await runHistories(store, pipeline, entries);
    if (options.json) context.terminal.printJson({ pipeline, runs, ...rest });
    else show(context.terminal, pipeline, { runs, notShown: notShownLine(rest) });
  });
}

const verbs: Readonly<Partial<Record<EventType, string>>> = {
  RunStarted: 'started',
  RunResumed: 'resumed',
  RunReopened: 'reopened',
  RunPaused: 'paused',
  RunCancelled: 'cancelled',
  RunFinished: 'finished',
  PauseRequested: 'pause requested',
  CancelRequested: 'cancel requested',
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
    for (const line of renderChanges(changes)) for (const part of wrap(line, width - 4)) print(`  ${part}`);
    print(renderEntries(entries, terminal));
  }
}

/** Renders one entry per line. A description that does not fit after the actor starts on a line of its own. */
function renderEntries(entries: readonly HistoryEntry[], { paint, width }: Terminal): readonly string[] {
  const verbOf = ({ type }: HistoryEntry) => verbs[type] ?? type;
  const verbWidth = Math.max(...entries.map((entry) => verbOf(entry).length));
  const whoWidth = Math.max(...entries.map(({ who }) => who?.length ?? 0));
  return entries.flatMap((entry) => {
    const at = `  ${formatLocalTime(entry.recordedAt)}`;
    const verb = verbOf(entry).padEnd(verbWidth);
    const who = entry.who ?? '';
    const line = (by: string) => `${paint('dim', at)}  ${verb}  ${paint('dim', by)}${by === '' ? '' : '  '}`;
    const fits = (by: string) => [at, verb, by, entry.what].join('  ').length <= width;
    const fittingWho = [who.padEnd(whoWidth), who].find(fits);
    if (fittingWho !== undefined) return [`${line(fittingWho)}${entry.what}`.trimEnd()];
    const indent = ' '.repeat(at.length + 2);
    return [line(who).trimEnd(), ...wrap(entry.what, width - indent.length).map((part) => `${indent}${part}`)];
  });
}

/** Renders how the definition and the params differ from the previous run. */
function renderChanges({ since, steps, files, params }: PipelineChanges): readonly string[] {
  if (since === null) return [];
  const followers = steps.filter(({ kind }) => kind === 'follows').map(({ step }) => step);
  const lines = [
    ...steps.filter(({ kind }) => kind !== 'follows').map(describeChange),
    ...(followers.length > 0 ? [`${followers.join(', ')}: a step above ${followers.length === 1 ? 'it' : 'them'} changed`] : []),
    ...(files.length > 0 ? [`files: ${files.join(', ')}`] : []),
    ...(params.length > 0 ? [`params: ${params.join(', ')}`] : []),
  ];
  return lines.length === 0 ? [`the same pipeline as in ${since}`] : [`changed since ${since}:`, ...lines.map((line) => `- ${line}`)];
}
