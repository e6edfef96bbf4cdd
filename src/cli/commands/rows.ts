import type { Command } from 'commander';
import { Fault } from '../../kit/fault.ts';
import type { AsOf, Store } from '../../log/index.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { parseCount } from '../count-option.ts';
import { findRun, findStep, followToRest, type RowChoice, rowId, type StepRow, stepRows } from '../../views/index.ts';
import { exitCodeOfEnding, runUntilInterrupt } from '../watch-run.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { createGrowingTable, renderRows } from '../row-table.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog rows`. */
export function registerRows(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'rows [run]', 'Show rows of any step')
    .option('--step <step>', 'Show rows of this step')
    .option('--first <n>', 'Show the first n rows (default: 10)')
    .option('--last <n>', 'Show the last n rows')
    .option('--random <n>', 'Show n random rows')
    .option('--at <as-of>', 'Show rows as of this position or time (default: head)')
    .option('--follow', 'Show the last rows, then new rows as batches succeed, until the run is at rest')
    .action((which, options) => rows(context, which, options));
}

interface RowsOptions extends CommonOptions {
  readonly step?: string | undefined;
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  readonly random?: string | undefined;
  readonly at?: string | undefined;
  readonly follow?: boolean | undefined;
}

const shownDefault = 10;

/** `distilog rows`: shows rows of any step, once or as they are recorded. */
async function rows(context: CommandContext, run: string | undefined, options: RowsOptions): Promise<void> {
  const choice = parseChoice(options);
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const asOf = await resolveAsOfOption(store, runId, options.at);
    const step = options.step === undefined ? undefined : await findStep(store, runId, options.step);
    if (options.follow) await follow(context, store, runId, { asOf, choice, options: { ...options, step } });
    else await show(context, store, runId, { asOf, choice, options: { ...options, step } });
  });
}

/** Returns which rows the options ask for. With `--follow` these are the last rows, because new rows come after them. */
function parseChoice({ first, last, random, at, follow: isFollowed }: RowsOptions): RowChoice {
  const given = Object.entries({ first, last, random }).filter(([, text]) => text !== undefined);
  if (given.length > 1)
    throw new Fault('contradictory-options', `--${given.map(([name]) => name).join(' and --')} exclude each other. Give one of them.`);
  if (isFollowed && at !== undefined)
    throw new Fault('contradictory-options', '--at shows the past and --follow new rows. Give one of them.');
  const [which = isFollowed ? 'last' : 'first', text] = (given[0] ?? []) as readonly [RowChoice['which']?, string?];
  if (isFollowed && which !== 'last')
    throw new Fault('contradictory-options', `--follow starts with the last rows, so it excludes --${which}. Give --last.`);
  return { which, count: parseCount(`--${which}`, text) ?? shownDefault };
}

interface RowsRequest {
  readonly asOf: AsOf;
  readonly choice: RowChoice;
  readonly options: RowsOptions;
}

async function show({ terminal }: CommandContext, store: Store, runId: string, { asOf, choice, options }: RowsRequest): Promise<void> {
  const { print, printJson, paint } = terminal;
  const from = await stepRows(store, runId, { step: options.step, position: asOf.position });
  if (options.json) {
    for await (const row of from.readChosen(choice)) printJson(toJson(row));
    return;
  }
  const found = await Array.fromAsync(from.readChosen(choice));
  const total = Math.max(found.length, from.total);
  const count =
    found.length === total ? `all ${formatCount(total)} rows` : `${words[choice.which]} ${found.length} of ${formatCount(total)} rows`;
  const time = terminal.width >= wideFrom ? `, ${formatLocalTime(asOf.recordedAt)}` : '';
  const place = `as of position ${formatCount(asOf.position)}${time}`;
  print(`${paint('bold', options.step ?? '')}  ${total === 0 ? 'no rows' : count}  ${paint('dim', `of ${runId} ${place}`)}`);
  if (found.length > 0) print(renderRows(found.map(labelRow), from.columns, terminal));
}

/** Narrowest terminal, in characters, that has room for the time. */
const wideFrom = 100;

const words: Readonly<Record<RowChoice['which'], string>> = { first: 'the first', last: 'the last', random: 'random' };

/** Characters reserved for the labels of later rows. */
const labelRoom = '00000/000'.length;

async function follow(context: CommandContext, store: Store, runId: string, { asOf, choice, options }: RowsRequest): Promise<void> {
  const { print, printJson, note, paint } = context.terminal;
  const from = await stepRows(store, runId, { step: options.step, position: asOf.position, to: Number.MAX_SAFE_INTEGER });
  const draw = createGrowingTable(from.columns, context.terminal, `${options.step}:`.length + labelRoom);
  const printRows = (found: readonly StepRow[]) => {
    if (options.json) for (const row of found) printJson(toJson(row));
    else if (found.length > 0) print(draw(found.map(labelRow)));
  };
  printRows(await Array.fromAsync(from.readChosen(choice)));
  const ending = await runUntilInterrupt(context, (signal) =>
    followToRest(store, runId, {
      from: asOf.position,
      states: from.states,
      signal,
      onEvents: async (events) => {
        for (const event of events)
          if (event.type === 'BatchSucceeded' && event.step === options.step) printRows(await from.readBatch(event));
      },
    }),
  );
  context.exit(exitCodeOfEnding(ending));
  if (ending.kind === 'rest') note(paint('dim', `${runId}: ${ending.status}`));
  if (ending.kind === 'interrupted')
    note(paint('red', `${runId} is interrupted: no process drives it. To continue it, run: distilog resume ${runId}`));
}

const labelRow = (row: StepRow) => ({ label: rowId(row), values: row.values });

const toJson = (row: StepRow): unknown => {
  const { step, pass, batch, row: number, position, values } = row;
  return { id: rowId(row), step, pass, batch, row: number, position, values };
};
