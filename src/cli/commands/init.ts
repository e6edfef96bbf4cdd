import type { Command } from 'commander';
import fs from 'node:fs';
import { codeOf, Fault, messageOf } from '../../kit/fault.ts';
import { sampleFile } from '../../steps/index.ts';
import type { CommandContext } from '../context.ts';
import { formatCount } from '../numbers.ts';
import { inferredColumns, pipelineText } from '../pipeline-text.ts';
import { shortened, table } from '../table.ts';

/** Registers `distilog init`. */
export function registerInit(program: Command, context: CommandContext): void {
  program
    .command('init <file>')
    .description('write a pipeline that reads a JSONL, CSV or Parquet file')
    .exitOverride()
    .option('--out <file>', 'the pipeline', 'pipeline.ts')
    .option('--force', 'overwrite it')
    .option('--json', 'for machines')
    .action((file, options) => init(context, file, options));
}

interface InitOptions {
  readonly out: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Rows that are looked at. */
const sampleRows = 200;

/** `distilog init`: writes a pipeline that reads a file. */
async function init({ terminal }: CommandContext, file: string, options: InitOptions): Promise<void> {
  const { out } = options;
  if (!/\.[cm]?[jt]s$/.test(out))
    throw new Fault('invalid-options', `--out ${out} is no TypeScript or JavaScript file: give one that ends in .ts.`);
  const sample = await sampleFile(file, sampleRows);
  const columns = inferredColumns(sample);
  const isEmpty = sample.rows.length === 0 && sample.format !== 'csv';
  if (columns.length === 0 || isEmpty) {
    const why = sample.broken[0] === undefined ? 'it has no rows' : `none of its first rows can be read. ${sample.broken[0]}`;
    throw new Fault('no-rows', `Nothing can be told of the columns of ${file}: ${why}`);
  }
  write(out, pipelineText(file, out, sample, columns), options.force ?? false);
  const left = [
    ...Object.entries(sample.leftOut).map(([name, what]) => ({ name, why: `its values are no JSON: ${what}` })),
    ...[...new Set(sample.columns)]
      .filter((name) => !columns.some((column) => column.name === name))
      .map((name) => ({
        name,
        why:
          sample.columns.indexOf(name) === sample.columns.lastIndexOf(name) ? 'it cannot be the name of a column' : 'there are two of it',
      })),
  ];
  if (options.json) {
    terminal.printJson({ file: out, source: file, format: sample.format, rows: sample.rows.length, columns, leftOut: left });
    return;
  }
  const { print, note, paint } = terminal;
  print(
    `${paint('bold', out)} reads ${file}: ${formatCount(columns.length)} columns, as its first ${formatCount(sample.rows.length)} rows have them`,
  );
  print('');
  print(
    table(
      [{ title: 'column' }, { title: 'type' }],
      columns.map(({ name, type }) => [shortened(name, 40), shortened(type, 100)]),
      (text) => paint('dim', text),
    ),
  );
  for (const { name, why } of left) note(paint('red', `column ${JSON.stringify(name)} is left out: ${why}`));
  if (sample.broken.length > 0)
    note(paint('red', `${sample.broken.length} of the first rows cannot be read and would be rejected. ${sample.broken[0]}`));
  print('');
  print(['Next:', `  npx distilog try ${out}`, `  npx distilog run ${out}`, '  npx distilog distiset --out dataset']);
}

function write(out: string, text: string, isForced: boolean): void {
  try {
    fs.writeFileSync(out, text, { flag: isForced ? 'w' : 'wx' });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST')
      throw new Fault('output-exists', `${out} exists already: nothing is overwritten. Name another --out, or say --force.`);
    const why =
      code === 'ENOENT'
        ? 'its folder does not exist'
        : code === 'EISDIR'
          ? 'it is a folder'
          : code === 'EACCES'
            ? 'this user may not write there'
            : messageOf(error);
    throw new Fault('output-unwritable', `${out} cannot be written: ${why}. Name another --out.`, { cause: error });
  }
}
