import type { Command } from 'commander';
import { failedBatches, losses, lostRows, type LostRow } from '../../distiset/index.ts';
import type { AsOf, Store } from '../../log/index.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { failedBatchViews, findRun, lossGroups, readStates, rejectedRowViews, type RunStates } from '../../views/index.ts';
import { formatCount } from '../numbers.ts';
import { describeRejectedBeforePause } from '../rejected-before-pause.ts';
import { shorten, renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { writeWholeFile } from '../whole-file.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog errors`. */
export function registerErrors(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'errors [run]', 'List lost rows, by cause and then row by row')
    .option('--at <as-of>', 'List losses as of this position or time (default: head)')
    .option('--all', 'List every row instead of the first 10')
    .option('--export <file>', 'Write the inputs of all lost rows to this file as JSON lines, each with its cause')
    .action((which, options) => errors(context, which, options));
}

interface ErrorsOptions extends CommonOptions {
  readonly at?: string | undefined;
  readonly all?: boolean | undefined;
  readonly export?: string | undefined;
}

/** Rows shown without `--all`. */
const shownMax = 10;

/** `distilog errors`: lists losses by cause and then row by row, or writes them to a file. */
async function errors(context: CommandContext, run: string | undefined, options: ErrorsOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const asOf = await resolveAsOfOption(store, runId, options.at);
    if (options.export !== undefined) await exportLosses(context, store, runId, { asOf, file: options.export, isJson: options.json });
    else await list(context, store, runId, { asOf, options });
  });
}

async function list(
  context: CommandContext,
  store: Store,
  runId: string,
  { asOf, options }: { readonly asOf: AsOf; readonly options: ErrorsOptions },
): Promise<void> {
  const { position } = asOf;
  const states = await readStates(store, runId, position);
  if (options.json) {
    const lists = { rejected: rejectedRowViews(store, runId, position, states), failedBatches: failedBatchViews(store, runId, position) };
    await context.terminal.printJsonLists({ runId, asOf }, lists);
  }
  if (!options.json) await show(context, store, { runId, position, states, shownMax: options.all ? Number.POSITIVE_INFINITY : shownMax });
}

interface Shown {
  readonly runId: string;
  readonly position: number;
  readonly states: RunStates;
  readonly shownMax: number;
}

/** Prints losses while it reads them, because all of them may exceed the memory. */
async function show({ terminal }: CommandContext, store: Store, { runId, position, states, shownMax: rowsMax }: Shown): Promise<void> {
  const { print, paint, width } = terminal;
  const groups = lossGroups(states);
  if (groups.length === 0 && states.errors.others === 0) {
    print(`Nothing was lost in ${runId} up to position ${formatCount(position)}.`);
    return;
  }
  print(
    renderTable(
      [{ title: 'step' }, { title: 'cause' }, { title: 'lost', align: 'right' }, { title: 'message' }],
      groups.map(({ step, code, kind, count: many, message }) => [
        step,
        paint('yellow', code),
        kind === 'batch' ? `${formatCount(many)} batch${many === 1 ? '' : 'es'}` : `${formatCount(many)} row${many === 1 ? '' : 's'}`,
        shorten(message, Math.max(20, width - 44)),
      ]),
      (title) => paint('dim', title),
    ),
  );
  print('');
  for await (const { step, batch, position: at, code, message } of failedBatches(store, runId, position))
    print(`${paint('red', `${step}/${batch}`)} skipped at position ${at}: ${code}: ${shorten(message, width)}`);
  let count = 0;
  for await (const lost of lostRows(store, runId, position)) if (++count <= rowsMax) await showRow(lost, terminal);
  if (count > rowsMax) print(paint('dim', `… and ${formatCount(count - rowsMax)} more rows. To list them: distilog errors ${runId} --all`));
  for (const sentence of describeRejectedBeforePause(states)) print(paint('yellow', sentence));
}

async function showRow(lost: LostRow, { print, paint, width }: Terminal): Promise<void> {
  const { step, batch, row, code, attempts, position, message } = lost;
  const input = await lost.input();
  print(
    `${paint('bold', `${step}/${batch} row ${row}`)}  ${paint('yellow', code)} after ${attempts} attempt${attempts === 1 ? '' : 's'}, position ${position}`,
  );
  print(`  ${shorten(message, width - 2)}`);
  if (input) print(paint('dim', `  ${shorten(JSON.stringify(input), width - 2)}`));
}

async function exportLosses(
  { terminal }: CommandContext,
  store: Store,
  runId: string,
  { asOf, file, isJson }: { readonly asOf: AsOf; readonly file: string; readonly isJson: boolean | undefined },
): Promise<void> {
  const rows = await writeWholeFile(file, '--export', lostLines(store, runId, asOf.position));
  if (isJson) terminal.printJson({ runId, asOf, file, rows });
  else terminal.print(`${formatCount(rows)} lost row${rows === 1 ? '' : 's'} of ${runId}, each with its cause, written to ${file}`);
}

/** Yields the input of every lost row with its cause, including the rows of batches that were skipped. */
async function* lostLines(store: Store, runId: string, to: number): AsyncGenerator<string> {
  for await (const loss of losses(store, runId, to)) {
    const { step, pass, batch, position, code, message, attempts } = loss;
    const cause = { code, message, attempts };
    const line = (row: number | null, input: unknown) => JSON.stringify({ step, pass, batch, row, position, cause, input });
    if (loss.kind === 'row') yield line(loss.row, await loss.input());
    else {
      const inputs = await loss.inputs();
      // A skipped batch of a source: its rows are unknown.
      if (inputs.length === 0) yield line(null, null);
      for (const [row, input] of inputs.entries()) yield line(row, input);
    }
  }
}
