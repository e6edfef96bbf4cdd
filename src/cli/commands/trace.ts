import type { Command } from 'commander';
import { rowAt, traceRow, type TraceStep } from '../../distiset/index.ts';
import type { Call } from '../../../schema/index.ts';
import type { JsonObject } from '../../kit/json.ts';
import type { Store } from '../../log/index.ts';
import type { RowName } from '../../rows/index.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findExportedRow } from '../exported-row.ts';
import { findRow, findRun, rowId } from '../../views/index.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatCount, formatDuration } from '../numbers.ts';
import { shorten } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog trace`. */
export function registerTrace(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'trace <run-or-row> [row]', 'Show how a row was made: each step with its attempts and calls, up to the source')
    .usage('[options] [run] <row>')
    .option('--at <as-of>', 'Number rows as of this position or time (default: head)')
    .addHelpText(
      'after',
      '\nROW is STEP:N (the nth row of a step, from 0), STEP:BATCH/ROW as the command\nrows prints it, or FILE:N of an exported file.\nSTEP may be a config of the dataset, such as default.',
    )
    .action((first, second, options) =>
      second === undefined ? trace(context, undefined, first, options) : trace(context, first, second, options),
    );
}

interface TraceOptions extends CommonOptions {
  readonly at?: string | undefined;
}

/** `distilog trace`: shows how a row was made, step by step, up to its source. */
async function trace(context: CommandContext, run: string | undefined, asked: string, options: TraceOptions): Promise<void> {
  await withStore(options, async (store) => {
    const { runId, place, position } = await resolveRow(store, run, asked, options.at);
    const traced = await traceRow(store, runId, place, position);
    if (options.json) context.terminal.printJson({ runId, asOf: { position }, trace: traced });
    else show(traced, context.terminal, runId);
  });
}

interface TracedRow {
  readonly runId: string;
  readonly place: RowName;
  readonly position: number;
}

/** Resolves the row that the user named: a row of an exported file, a place, or a number in a step's dataset. */
async function resolveRow(store: Store, run: string | undefined, asked: string, at: string | undefined): Promise<TracedRow> {
  const exported = findExportedRow(asked);
  if (exported) {
    const { runId, step, index, position } = exported;
    return { runId, place: await rowAt(store, runId, step, index, position), position };
  }
  const runId = await findRun(store, run);
  const { position } = await resolveAsOfOption(store, runId, at);
  return { runId, place: await findRow(store, runId, asked, position), position };
}

function show(traced: TraceStep, terminal: Terminal, runId: string): void {
  const { print, paint, width } = terminal;
  print(`${paint('bold', rowId(traced.name))}  ${paint('dim', `of ${runId}`)}`);
  const visit = (step: TraceStep, depth: number) => {
    const indent = '  '.repeat(depth);
    const line = (text: string) => print(fitLine(`${indent}  ${text}`, width));
    const took = formatDuration(step.elapsedMs);
    print('');
    print(
      `${indent}${paint('bold', rowId(step.name))}  ${step.operator}  ${paint('dim', `position ${formatCount(step.position)}, ${formatLocalTime(step.recordedAt)}, batch took ${took}`)}`,
    );
    for (const { pass, position, code, message, attempts } of step.rejections)
      line(
        paint(
          'yellow',
          `pass ${pass}: rejected after ${attempts} attempt${attempts === 1 ? '' : 's'}, position ${formatCount(position)}: ${code}: ${message}`,
        ),
      );
    if (step.definition.position > 1)
      line(
        paint(
          'yellow',
          `made by the changed pipeline that was accepted at position ${formatCount(step.definition.position)}, ${formatLocalTime(step.definition.recordedAt)}`,
        ),
      );
    for (const { attempt, position, error } of step.failures)
      line(paint('yellow', `attempt ${attempt} of its batch failed, position ${formatCount(position)}: ${error.code}: ${error.message}`));
    for (const [column, value] of Object.entries(step.wrote)) line(`${paint('cyan', column)}: ${textOf(value)}`);
    for (const call of step.calls) line(paint('dim', renderCall(call)));
    const settings = listSettings(step.settings);
    if (settings.length > 0) line(paint('dim', `settings: ${settings.join(', ')}`));
    for (const prompt of new Set([...listPrompts(step.settings), ...step.calls.flatMap(({ prompt: own }) => own ?? [])]))
      line(paint('dim', `prompt: ${prompt}`));
    if (step.madeOf !== null)
      line(paint('dim', `made of ${formatCount(step.madeOf)} rows together, so the trace of ${step.name.step} ends here`));
    for (const parent of step.parents) visit(parent, step.parents.length > 1 ? depth + 1 : depth);
  };
  visit(traced, 0);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Shortens a text to one line of at most `lengthMax` characters, and keeps its indentation. */
const fitLine = (text: string, lengthMax: number): string => {
  const indent = /^ */.exec(text)?.[0] ?? '';
  return indent + shorten(text, lengthMax - indent.length);
};

function renderCall({
  attempt,
  model,
  inputTokens,
  outputTokens,
  cachedTokens,
  reasoningTokens,
  costUsd,
  latencyMs,
  finishReason,
}: Call): string {
  const parts = [
    `attempt ${attempt}`,
    model,
    `${formatCount(inputTokens)} tokens in${cachedTokens > 0 ? ` (${formatCount(cachedTokens)} cached)` : ''}`,
    `${formatCount(outputTokens)} out${reasoningTokens > 0 ? ` (${formatCount(reasoningTokens)} reasoning)` : ''}`,
    costUsd > 0 ? `$${costUsd.toFixed(4)}` : '',
    latencyMs === null ? '' : formatDuration(latencyMs),
    finishReason ?? '',
  ];
  return parts.filter(Boolean).join(', ');
}

/** Lists a library step's settings without its prompts: the model and how its answers are sampled. Skips members with several values, except the model. */
function listSettings(settings: TraceStep['settings']): readonly string[] {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return [];
  const { model, of, ...others } = settings as JsonObject;
  const simple = (members: object) =>
    Object.entries(members).filter(
      ([name, value]) => value !== null && typeof value !== 'object' && !(isPrompt(name) && typeof value === 'string'),
    );
  const named = [
    ...(typeof model === 'object' && model !== null ? simple(model).map(([name, value]) => [`model.${name}`, value] as const) : []),
    ...simple(others),
  ];
  return [...named.map(([name, value]) => `${name} ${textOf(value)}`), ...(of === undefined ? [] : listSettings(of))];
}

const isPrompt = (name: string): boolean => /prompt|template/i.test(name);

/** Lists the prompts in a library step's settings. */
function listPrompts(settings: TraceStep['settings']): readonly string[] {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return [];
  const own = Object.entries(settings as JsonObject).flatMap(([name, value]) => (isPrompt(name) && typeof value === 'string' ? value : []));
  const of = (settings as JsonObject)['of'];
  return [...own, ...(of === undefined ? [] : listPrompts(of))];
}
