import { Option, type Command } from 'commander';
import { createDistiset, type Compression, type Distiset, type DistisetConfig, type Format } from '../../distiset/index.ts';
import { exportDistiset } from '../../engine/index.ts';
import type { JsonObject } from '../../kit/json.ts';
import { canonicalJson } from '../../kit/json.ts';
import { sha256Stream } from '../../kit/sha256.ts';
import { Fault, messageOf } from '../../kit/fault.ts';
import type { Store } from '../../log/index.ts';
import { resolveAsOfOption } from '../as-of-option.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { findRun, findSteps } from '../../views/index.ts';
import { createGarbageCollector } from '../frugal-heap.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { renderRows } from '../row-table.ts';
import { renderTable } from '../table.ts';
import { addStoreCommand, repeatableOption } from '../command-options.ts';

/** Registers `distilog distiset`. */
export function registerDistiset(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'distiset [run]', 'Preview the dataset as of a position, or export it with --out')
    .option('--at <as-of>', 'Read the dataset as of this position or time (default: head)')
    .option('--out <dir>', 'Export the dataset to this directory, which must not exist')
    .addOption(new Option('--format <format>', 'Set the format of the files').choices(['parquet', 'jsonl', 'csv']).default('parquet'))
    .addOption(new Option('--compression <codec>', 'Set the compression of Parquet files').choices(['snappy', 'zstd']).default('zstd'))
    .option('--csv-escape-formulas', 'Write an apostrophe before texts in CSV files that a spreadsheet would run as formulas')
    .addOption(
      new Option('--include <rows>', 'Include all committed rows, or only the rows of finished leaf steps')
        .choices(['committed', 'finished'])
        .default('committed'),
    )
    .addOption(repeatableOption('--step <step>', 'Export this step instead of the leaf steps; may be repeated').default([], 'none'))
    .action((which, options) => distiset(context, which, options));
}

interface DistisetCommandOptions extends CommonOptions {
  readonly at?: string | undefined;
  readonly out?: string | undefined;
  readonly format: Format;
  readonly compression: Compression;
  readonly csvEscapeFormulas?: boolean | undefined;
  readonly include: 'committed' | 'finished';
  readonly step: readonly string[];
}

/** `distilog distiset`: previews the dataset as of a position, or exports it to a directory. */
async function distiset(context: CommandContext, run: string | undefined, options: DistisetCommandOptions): Promise<void> {
  if (options.csvEscapeFormulas === true && options.format !== 'csv')
    throw new Fault(
      'contradictory-options',
      `--csv-escape-formulas needs CSV files, and the format is ${options.format}. Add --format csv.`,
    );
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const asOf = await resolveAsOfOption(store, runId, options.at);
    const steps = options.step.length > 0 ? await findSteps(store, runId, options.step) : undefined;
    const dataset = await createDistiset(store, runId, { asOf, include: options.include, steps });
    if (options.out === undefined) await preview(context, dataset, options);
    else await write(context, store, dataset, { ...options, out: options.out });
  });
}

async function write(
  context: CommandContext,
  store: Store,
  dataset: Distiset,
  options: DistisetCommandOptions & { readonly out: string },
): Promise<void> {
  const { out, format, compression, csvEscapeFormulas } = options;
  const written = { directory: out, format, compression, csvEscapeFormulas, onWritten: createGarbageCollector() };
  const { metadata } = await exportDistiset(store, dataset, written);
  const broken = metadata.configs.filter(({ error }) => error !== null);
  if (broken.length > 0) context.exit(exitCodes.failed);
  const { print, printJson, note, paint } = context.terminal;
  if (options.json) {
    const shown = metadata.configs.map(({ name, step, state, rows, rowsSha256, files, error }) => ({
      name,
      step,
      state,
      rows,
      rowsSha256,
      files,
      error,
    }));
    printJson({ runId: dataset.runId, asOf: dataset.asOf, directory: out, configs: shown, leftOut: metadata.leftOut });
    return;
  }
  print(renderTitle(dataset, paint));
  print('');
  print(
    renderTable(
      [
        { title: 'config' },
        { title: 'state' },
        { title: 'rows', align: 'right' },
        { title: 'files', align: 'right' },
        { title: 'SHA-256 of the rows' },
      ],
      metadata.configs.map(({ name, state, rows, files, rowsSha256 }) => [
        name,
        state,
        formatCount(rows),
        String(files.length),
        rowsSha256,
      ]),
      (text) => paint('dim', text),
    ),
  );
  print('');
  for (const { name, error } of broken) note(paint('red', `config ${name} was not written: ${error?.message}`));
  for (const { name, state } of metadata.leftOut) print(`left out: ${name}, because its step is ${state}`);
  print(`written to ${out}`);
}

const renderTitle = (dataset: Distiset, paint: (style: 'bold' | 'dim', text: string) => string): string =>
  `${paint('bold', dataset.runId)}  ${paint('dim', `as of position ${formatCount(dataset.asOf.position)}, ${formatLocalTime(dataset.asOf.recordedAt)}; run status: ${dataset.status}`)}`;

const previewRows = 5;

async function preview(context: CommandContext, dataset: Distiset, options: DistisetCommandOptions): Promise<void> {
  const { print, printJson, paint } = context.terminal;
  const previews: { readonly config: DistisetConfig; readonly preview: ConfigPreview }[] = [];
  for (const config of dataset.configs) previews.push({ config, preview: await readPreview(config, options.json ?? false) });
  if (previews.some(({ preview }) => preview.error !== null)) context.exit(exitCodes.failed);
  if (options.json) {
    const configs = previews.map(({ config: { name, step, state }, preview }) => ({
      name,
      step,
      state,
      rows: preview.rows,
      rowsSha256: preview.rowsSha256,
      files: [],
      error: preview.error,
    }));
    printJson({ runId: dataset.runId, asOf: dataset.asOf, configs, leftOut: dataset.leftOut });
    return;
  }
  print(renderTitle(dataset, paint));
  for (const { config, preview } of previews) {
    const share = config.sourceShare === null ? '' : `, ${Math.round(config.sourceShare * 100)} % of the source rows`;
    print('');
    print(`${paint('bold', config.name)}  ${config.state}, ${formatCount(preview.rows)} rows${share}`);
    if (preview.error) print(paint('red', `  ${preview.error}`));
    const columns = config.columns.map(({ name }) => name);
    if (preview.first.length > 0)
      print(
        renderRows(
          preview.first.map((values) => ({ label: '', values })),
          columns,
          context.terminal,
        ),
      );
  }
  for (const { name, state } of dataset.leftOut) print(['', `left out: ${name}, because its step is ${state}`]);
  print(['', paint('dim', `To export it: distilog distiset ${dataset.runId} --at ${dataset.asOf.position} --out DIR`)]);
}

interface ConfigPreview {
  readonly rows: number;
  readonly rowsSha256: string | null;
  readonly first: readonly JsonObject[];
  readonly error: string | null;
}

/** Reads the first rows and counts all. Reads every row only if their hash is wanted. */
async function readPreview(config: DistisetConfig, isWhole: boolean): Promise<ConfigPreview> {
  const digest = sha256Stream();
  const first: JsonObject[] = [];
  let rows = 0;
  try {
    for await (const row of config.rows()) {
      rows++;
      if (isWhole) digest.update(canonicalJson(row)).update('\n');
      if (first.length < previewRows) first.push(row);
      else if (!isWhole) {
        return { rows: Math.max(rows, config.rowsCommitted), rowsSha256: null, first, error: null };
      }
    }
    return { rows, rowsSha256: isWhole ? digest.digest('hex') : null, first, error: null };
  } catch (error) {
    return { rows: 0, rowsSha256: null, first: [], error: messageOf(error) };
  }
}
