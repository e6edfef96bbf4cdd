import { losses, type FailedBatch, type LostRow } from '#distiset';
import type { AsOf, Store } from '#log';
import { asOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun } from '../find-run.ts';
import { formatCount } from '../numbers.ts';
import { isOwed, rejectedBeforePause } from '../rejected-before-pause.ts';
import { readStates } from '../read-states.ts';
import { shortened, table } from '../table.ts';
import { writeWholeFile } from '../whole-file.ts';

export interface ErrorsOptions extends CommonOptions {
  readonly at?: string | undefined;
  readonly all?: boolean | undefined;
  readonly export?: string | undefined;
}

/** Rows shown unless all are asked for. */
const shownMax = 10;

/** `distilog errors`: what was lost, grouped by cause, then row by row, or written to a file. */
export async function errors(context: CommandContext, run: string | undefined, options: ErrorsOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const asOf = await asOfOption(store, runId, options.at);
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
  const rejected: LostRow[] = [];
  const failedBatches: FailedBatch[] = [];
  let count = 0;
  const limit = options.all || options.json ? Number.POSITIVE_INFINITY : shownMax;
  for await (const loss of losses(store, runId, asOf.position)) {
    if (loss.kind === 'batch') failedBatches.push(loss);
    else if (++count <= limit) rejected.push(loss);
  }
  if (options.json) {
    const states = await readStates(store, runId, asOf.position);
    context.terminal.printJson({
      runId,
      asOf,
      rejected: rejected.map(({ step, batch, position, row, code, message, attempts }) => ({
        step,
        batch,
        position,
        row,
        code,
        message,
        attempts,
        triedAgain: isOwed(states, { step, position }),
      })),
      failedBatches: failedBatches.map(({ step, batch, position, code, message, rows }) => ({
        step,
        batch,
        position,
        code,
        message,
        rows,
      })),
    });
    return;
  }
  await show(context, store, { runId, position: asOf.position, rejected, failedBatches, count });
}

interface Lost {
  readonly runId: string;
  readonly position: number;
  readonly rejected: readonly LostRow[];
  readonly failedBatches: readonly FailedBatch[];
  readonly count: number;
}

async function show({ terminal }: CommandContext, store: Store, lost: Lost): Promise<void> {
  const { print, paint, width } = terminal;
  const { rejected, failedBatches, count, runId, position } = lost;
  if (count === 0 && failedBatches.length === 0) {
    print(`Nothing was lost in ${runId} up to position ${formatCount(position)}.`);
    return;
  }
  const states = await readStates(store, runId, position);
  const { errors: state } = states;
  const groups = state.groups.filter(({ kind }) => kind !== 'attempt');
  print(
    table(
      [{ title: 'step' }, { title: 'cause' }, { title: 'lost', align: 'right' }, { title: 'message' }],
      groups.map(({ step, code, kind, count: many, message }) => [
        step,
        paint('yellow', code),
        kind === 'batch' ? `${formatCount(many)} batch${many === 1 ? '' : 'es'}` : `${formatCount(many)} row${many === 1 ? '' : 's'}`,
        shortened(message, Math.max(20, width - 44)),
      ]),
      (title) => paint('dim', title),
    ),
  );
  print('');
  for (const { step, batch, position: at, code, message } of failedBatches) {
    print(`${paint('red', `${step}/${batch}`)} given up at position ${at}: ${code}: ${shortened(message, width)}`);
  }
  for (const each of rejected) {
    const input = await each.input();
    print(
      `${paint('bold', `${each.step}/${each.batch} row ${each.row}`)}  ${paint('yellow', each.code)} after ${each.attempts} attempt${each.attempts === 1 ? '' : 's'}, position ${each.position}`,
    );
    print(`  ${shortened(each.message, width - 2)}`);
    if (input) print(paint('dim', `  ${shortened(JSON.stringify(input), width - 2)}`));
  }
  if (count > rejected.length)
    print(paint('dim', `… and ${formatCount(count - rejected.length)} more rows: distilog errors ${runId} --all`));
  for (const sentence of rejectedBeforePause(states)) print(paint('yellow', sentence));
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

/** Every row that was lost, as it went into the step that lost it, with the cause: rows of a batch that was given up too. */
async function* lostLines(store: Store, runId: string, to: number): AsyncGenerator<string> {
  for await (const loss of losses(store, runId, to)) {
    const { step, pass, batch, position, code, message, attempts } = loss;
    const cause = { code, message, attempts };
    const line = (row: number | null, input: unknown) => JSON.stringify({ step, pass, batch, row, position, cause, input });
    if (loss.kind === 'row') yield line(loss.row, await loss.input());
    else {
      const inputs = await loss.inputs();
      // A source's batch that was given up: nobody knows what is in it.
      if (inputs.length === 0) yield line(null, null);
      for (const [row, input] of inputs.entries()) yield line(row, input);
    }
  }
}
