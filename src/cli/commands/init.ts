import type { Command } from 'commander';
import fs from 'node:fs';
import { codeOf, Fault, messageOf } from '../../kit/fault.ts';
import { sampleFile } from '../../steps/index.ts';
import type { CommandContext } from '../context.ts';
import { parseCount } from '../count-option.ts';
import { formatCount } from '../numbers.ts';
import { describeSample, inferColumns, pipelineText } from '../pipeline-text.ts';
import { shorten, renderTable } from '../table.ts';

/** Registers `distilog init`. */
export function registerInit(program: Command, context: CommandContext): void {
  program
    .command('init <file>')
    .description('Write a pipeline file that reads a JSONL, CSV or Parquet file')
    .exitOverride()
    .option('--out <file>', 'Write the pipeline to this file', 'pipeline.ts')
    .option('--force', 'Overwrite the pipeline file if it exists')
    .option('--rows <count>', 'Infer the columns from the first rows, and as many spread over the rest', String(sampleRows))
    .option('--all', 'Infer the columns from all rows, which are held in memory')
    .option('--json', 'Print JSON')
    .action((file, options) => init(context, file, options));
}

interface InitOptions {
  readonly rows: string;
  readonly all?: boolean | undefined;
  readonly out: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Rows from which column types are inferred. */
const sampleRows = 200;

/** `distilog init`: writes a pipeline that reads a file. */
async function init({ terminal }: CommandContext, file: string, options: InitOptions): Promise<void> {
  const { out } = options;
  if (!/\.[cm]?[jt]s$/.test(out))
    throw new Fault('invalid-options', `--out ${out} is not a TypeScript or JavaScript file. Give a name that ends in .ts.`);
  const sample = await sampleFile(file, options.all ? Infinity : (parseCount('--rows', options.rows) ?? sampleRows));
  const columns = inferColumns(sample);
  const isEmpty = sample.rows.length === 0 && sample.format !== 'csv';
  if (columns.length === 0 || isEmpty) {
    const why = sample.broken[0] === undefined ? 'it has no rows' : `none of its first rows can be read. ${sample.broken[0]}`;
    throw new Fault('no-rows', `The columns of ${file} are unknown: ${why}`);
  }
  write(out, pipelineText(file, out, sample, columns), options.force ?? false);
  const left = [
    ...Object.entries(sample.leftOut).map(([name, what]) => ({ name, why: `its values are not JSON: ${what}` })),
    ...[...new Set(sample.columns)]
      .filter((name) => !columns.some((column) => column.name === name))
      .map((name) => ({
        name,
        why: sample.columns.indexOf(name) === sample.columns.lastIndexOf(name) ? 'a column cannot have this name' : 'the name occurs twice',
      })),
  ];
  if (options.json) {
    terminal.printJson({ file: out, source: file, format: sample.format, rows: sample.rows.length, columns, leftOut: left });
    return;
  }
  const { print, note, paint } = terminal;
  print(
    `${paint('bold', out)} reads ${file}: ${formatCount(columns.length)} columns, inferred from ${options.all ? `all ${formatCount(sample.rows.length)} rows` : `its ${describeSample(sample)}`}`,
  );
  print('');
  print(
    renderTable(
      [{ title: 'column' }, { title: 'type' }],
      columns.map(({ name, type }) => [shorten(name, 40), shorten(type, 100)]),
      (text) => paint('dim', text),
    ),
  );
  for (const { name, why } of left) note(paint('red', `column ${JSON.stringify(name)} is left out: ${why}`));
  if (sample.broken.length > 0)
    note(paint('red', `${sample.broken.length} of these rows cannot be read; a run would reject them. ${sample.broken[0]}`));
  print('');
  print(['Next:', `  npx distilog try ${out}`, `  npx distilog run ${out}`, '  npx distilog distiset --out dataset']);
}

function write(out: string, text: string, isForced: boolean): void {
  // Writing would create a file where the link points to, which may be anywhere.
  if (fs.lstatSync(out, { throwIfNoEntry: false })?.isSymbolicLink() && !fs.existsSync(out))
    throw new Fault('output-unwritable', `${out} is a link to a file that does not exist. Remove the link, or give another --out.`);
  try {
    fs.writeFileSync(out, text, { flag: isForced ? 'w' : 'wx' });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST')
      throw new Fault('output-exists', `${out} exists already and was not overwritten. Give another --out, or add --force.`);
    const why =
      code === 'ENOENT'
        ? 'its folder does not exist'
        : code === 'EISDIR'
          ? 'it is a folder'
          : code === 'EACCES'
            ? 'this user has no write permission'
            : messageOf(error);
    throw new Fault('output-unwritable', `${out} cannot be written: ${why}. Give another --out.`, { cause: error });
  }
}
