import type { Command } from 'commander';
import { rehearse, type Rehearsal } from '../../testing/index.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { parseCount } from '../count-option.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { formatCount } from '../numbers.ts';
import { parseParamOptions } from '../parse-params.ts';
import { renderRows } from '../row-table.ts';
import { shorten } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { containUserCode, createStepLog } from '../user-code.ts';
import { renderUsage } from './status.ts';
import { paramOption } from '../command-options.ts';

/** Registers `distilog try`. */
export function registerTry(program: Command, context: CommandContext): void {
  program
    .command('try <file>')
    .description('Run the first rows of a pipeline and show them after every step; store nothing')
    .exitOverride()
    .option('--rows <n>', 'Read n rows from each source (default: 3)')
    .addOption(paramOption())
    .option('--json', 'Print JSON')
    .action((file, options) => tryPipeline(context, file, options));
}

interface TryOptions extends Omit<CommonOptions, 'store'> {
  readonly rows?: string | undefined;
  readonly param: readonly string[];
}

const rowsDefault = 3;

/** `distilog try`: runs a pipeline's first rows and shows them after every step. Stores nothing. */
async function tryPipeline(context: CommandContext, file: string, options: TryOptions): Promise<void> {
  const take = parseCount('--rows', options.rows) ?? rowsDefault;
  const { pipeline } = await loadPipeline(file);
  const params = parseParamOptions(pipeline.params, options.param, process.env);
  const stop = new AbortController();
  context.onInterrupt(() => stop.abort());
  const restore = containUserCode('Its rows were not all tried.');
  try {
    const { terminal } = context;
    const rehearsal = await rehearse(pipeline, { params, take, signal: stop.signal, userLog: createStepLog(terminal, terminal.note) });
    restore();
    context.exit(exitCodeOf(rehearsal.outcome));
    if (options.json) terminal.printJson(toJson(pipeline.name, take, rehearsal));
    else show(terminal, pipeline.name, take, rehearsal);
  } finally {
    restore();
    context.onInterrupt(null);
  }
}

function stepsOf({ events }: Rehearsal) {
  const [started] = events;
  return started?.type === 'RunStarted' ? started.data.manifest.steps : [];
}

/** Describes the failed steps and the pause of a rehearsal. Empty if there were none. */
const describeTroubles = ({ events }: Rehearsal): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'StepFailed'
      ? [`step ${event.step} failed: ${event.data.error.code}: ${event.data.error.message}`]
      : event.type === 'RunPaused'
        ? [`paused: ${event.data.message}`]
        : [],
  );

function toJson(pipeline: string, take: number, rehearsal: Rehearsal): unknown {
  const { outcome, steps, rejected, failedBatches, usage } = rehearsal;
  const { calls, inputTokens, outputTokens, costUsd } = usage;
  return {
    pipeline,
    take,
    outcome,
    steps: stepsOf(rehearsal).map(({ name, operator, upstream }) => ({
      name,
      operator,
      upstream,
      rows: steps[name] ?? [],
      rejected: rejected
        .filter(({ step }) => step === name)
        .map(({ row, code, message, attempts, input }) => ({ row, code, message, attempts, input })),
      failedBatches: failedBatches
        .filter(({ step }) => step === name)
        .map(({ batch, code, message, rows }) => ({ batch, code, message, rows })),
    })),
    usage: { calls, inputTokens, outputTokens, costUsd },
    notes: describeTroubles(rehearsal),
  };
}

function show(terminal: Terminal, pipeline: string, take: number, rehearsal: Rehearsal): void {
  const { print, paint, width } = terminal;
  print(`${paint('bold', pipeline)}  the first ${formatCount(take)} row${take === 1 ? '' : 's'}; nothing is stored`);
  for (const { name, operator, upstream, adds } of stepsOf(rehearsal)) {
    const rows = rehearsal.steps[name] ?? [];
    const lost = rehearsal.rejected.filter(({ step }) => step === name);
    const count = `${formatCount(rows.length)} row${rows.length === 1 ? '' : 's'}`;
    print('');
    print(
      [
        paint('bold', name),
        paint('dim', upstream.length > 0 ? `${operator} of ${upstream.join(', ')}` : operator),
        count,
        ...(lost.length > 0 ? [paint('yellow', `${formatCount(lost.length)} rejected`)] : []),
      ].join('  '),
    );
    // Columns that the step added come first, so that a narrow terminal shows them.
    const columns = [...new Set([...adds, ...Object.keys(rows[0] ?? {})])];
    const labelled = rows.map((values) => ({ label: '', values }));
    if (rows.length > 0) print(renderRows(labelled, columns, terminal));
    for (const { code, message, attempts, input } of lost) {
      print(paint('yellow', shorten(`rejected: ${code}: ${message}${attempts > 1 ? ` (${attempts} attempts)` : ''}`, width)));
      if (input) print(paint('dim', `  ${shorten(JSON.stringify(input), width - 2)}`));
    }
    for (const { batch, code, message } of rehearsal.failedBatches.filter(({ step }) => step === name))
      print(paint('red', shorten(`batch ${batch} failed: ${code}: ${message}`, width)));
  }
  print('');
  for (const trouble of describeTroubles(rehearsal)) print(paint('red', shorten(trouble, width)));
  const consumed = renderUsage({ steps: { '': { '': rehearsal.usage } } });
  if (consumed !== '') print(consumed);
  const style = rehearsal.outcome === 'succeeded' ? 'green' : rehearsal.outcome === 'failed' ? 'red' : 'yellow';
  print(paint(style, rehearsal.outcome));
}
