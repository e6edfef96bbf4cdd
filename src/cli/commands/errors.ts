import type { RecordedEvent } from '#schema';
import type { JsonObject } from '#kit/json';
import { runLogId, type Store } from '#log';
import { rejectedRows, rowReader, rowsOf, type RejectedRow } from '#rows';
import { beginning } from '#distiset';
import { asOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun } from '../find-run.ts';
import { formatCount } from '../numbers.ts';
import { readStates } from '../read-states.ts';
import { shortened, table } from '../table.ts';

export interface ErrorsOptions extends CommonOptions {
  readonly at?: string | undefined;
  readonly all?: boolean | undefined;
}

interface FailedBatch {
  readonly step: string;
  readonly batch: number;
  readonly position: number;
  readonly code: string;
  readonly message: string;
  readonly rows: number;
}

/** Rows shown unless all are asked for. */
const shownMax = 10;

/** `distilog errors`: what was lost, grouped by cause, then row by row. */
export async function errors(context: CommandContext, run: string | undefined, options: ErrorsOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const asOf = await asOfOption(store, runId, options.at);
    const rejected: RejectedRow[] = [];
    let count = 0;
    const limit = options.all || options.json ? Number.POSITIVE_INFINITY : shownMax;
    for await (const row of rejectedRows(store, runId, asOf.position)) {
      count++;
      if (rejected.length < limit) rejected.push(row);
    }
    const failedBatches = await failedBatchesOf(store, runId, asOf.position);
    if (options.json) {
      context.terminal.print(JSON.stringify({ runId, asOf, rejected, failedBatches }));
      return;
    }
    await show(context, store, { runId, position: asOf.position, rejected, failedBatches, count });
  });
}

async function failedBatchesOf(store: Store, runId: string, to: number): Promise<readonly FailedBatch[]> {
  const found: FailedBatch[] = [];
  for await (const page of store.log.read(runLogId(runId), { to, types: ['BatchFailed'] }))
    for (const event of page) if (event.type === 'BatchFailed' && event.data.retryInMs === null) found.push(failedBatch(event));
  return found;
}

const failedBatch = ({ step, batch, position, data }: RecordedEvent<'BatchFailed'>): FailedBatch => ({
  step,
  batch,
  position,
  code: data.error.code,
  message: data.error.message,
  rows: data.pending,
});

interface Lost {
  readonly runId: string;
  readonly position: number;
  readonly rejected: readonly RejectedRow[];
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
  const { errors: state } = await readStates(store, runId, position);
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
    const input = await inputOf(store, runId, each, position);
    print(
      `${paint('bold', `${each.step}/${each.batch} row ${each.row}`)}  ${paint('yellow', each.code)} after ${each.attempts} attempt${each.attempts === 1 ? '' : 's'}, position ${each.position}`,
    );
    print(`  ${shortened(each.message, width - 2)}`);
    if (input) print(paint('dim', `  ${shortened(JSON.stringify(input), width - 2)}`));
  }
  if (count > rejected.length)
    print(paint('dim', `… and ${formatCount(count - rejected.length)} more rows: distilog errors ${runId} --all`));
}

/** The row that was given up, as it went into the step; null for a source's, which was never stored. */
async function inputOf(store: Store, runId: string, { step, pass, batch, row }: RejectedRow, to: number): Promise<JsonObject | null> {
  const logId = runLogId(runId);
  const success = await store.log.success(logId, { pass, step, batch, to });
  const upstream = success?.data.inputs[0]?.step;
  if (!success || upstream === undefined) return null;
  const [started, definition] = await beginning(store, logId);
  const columns = definition.steps.find(({ name }) => name === upstream)?.columns.map(({ name }) => name) ?? [];
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to, steps: started.data.manifest.steps });
  return (await rowsOf(await reader.input(step, success.data.inputs), columns, row, row + 1))[0] ?? null;
}
