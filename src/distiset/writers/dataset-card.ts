import { stringify } from 'yaml';
import { canonicalJson, type JsonObject } from '../../kit/json.ts';
import { escapeFormula } from './csv-formula.ts';
import { feature } from './features.ts';
import type { DistisetMetadata } from './metadata.ts';
import type { WrittenConfig } from './write-config.ts';

const exampleLengthMax = 2_000;
const cellLengthMax = 300;
const sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000] as const;
const sizeNames = ['n<1K', '1K<n<10K', '10K<n<100K', '100K<n<1M', '1M<n<10M', '10M<n<100M', 'n>100M'] as const;

/** Returns the text of the directory's README.md: YAML for `datasets`, then text for people. */
export function datasetCard(metadata: DistisetMetadata, configs: readonly WrittenConfig[]): string {
  // Texts are quoted, because readers differ on the meaning of an unquoted `no`, `12:30` or `1_000`.
  const front = stringify(frontMatter(metadata, configs), { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
  return `---\n${front}---\n\n${body(metadata, configs).join('\n')}`;
}

/** Returns the part of a card that `datasets` reads: the files of each config, its columns and sizes. */
export function frontMatter({ writer, options }: DistisetMetadata, configs: readonly WrittenConfig[]): object {
  const written = configs.filter(({ error }) => error === null);
  const rows = written.reduce((sum, config) => sum + config.rows, 0);
  return {
    configs: written.map(({ name, folder }) => ({
      config_name: name,
      data_files: [{ split: 'train', path: `${folder}/train-*` }],
    })),
    dataset_info: written.map((config) => ({
      config_name: config.name,
      features: config.columns.map(({ name, type }) =>
        feature(options.csvEscapeFormulas === true ? escapeFormula(name) : name, type, writer.format),
      ),
      splits: [{ name: 'train', num_bytes: config.rowsBytes, num_examples: config.rows }],
      download_size: config.files.reduce((sum, { bytes }) => sum + bytes, 0),
      dataset_size: config.rowsBytes,
    })),
    size_categories: [sizeNames[sizes.findIndex((size) => rows < size)] ?? sizeNames.at(-1)],
    tags: ['synthetic', 'distilog'],
  };
}

function body(metadata: DistisetMetadata, configs: readonly WrittenConfig[]): readonly string[] {
  const { run, asOf, distilog, leftOut, configs: states } = metadata;
  const missing = configs.filter(({ error }) => error !== null);
  const row = (config: WrittenConfig) => {
    const state = states.find(({ name }) => name === config.name);
    const rejected = state?.losses.filter(({ kind }) => kind === 'rejected').reduce((sum, { count }) => sum + count, 0) ?? 0;
    const cells = config.error
      ? ['', '**not written**', rejected, '']
      : [config.rows, state?.state ?? '', rejected, `\`${config.rowsSha256}\``];
    return `| ${config.name} | ${cells.join(' | ')} |`;
  };
  return [
    `# ${run.pipeline}`,
    '',
    `Made by [distilog](https://www.npmjs.com/package/distilog) ${distilog} from run \`${run.id}\` as of position ${asOf.position} of its log (${asOf.recordedAt}).`,
    `Status of the run there: **${run.status}**${run.status === 'running' ? ', more rows may follow' : ''}.`,
    '',
    ...missing.flatMap(({ name, error }) => [
      `> **Config \`${name}\` is missing**: its rows could not be written. ${code(`${error?.code}: ${error?.message}`)}`,
      '',
    ]),
    '| config | rows | state | rejected above or in it | SHA-256 of its rows |',
    '|---|---:|---|---:|---|',
    ...configs.map(row),
    '',
    ...leftOut.flatMap(({ name, state }) => [`Left out: \`${name}\`, because it is ${state}.`, '']),
    ...(metadata.writer.format === 'csv' ? csvNote : []),
    ...(metadata.options.csvEscapeFormulas === true ? formulaNote : []),
    ...configs.filter(({ error }) => error === null).flatMap(configSection),
    '## How it came to be',
    '',
    `Every event of the run is in its log. \`distilog.json\` has the position, the hash that covers the log up to there (\`${asOf.hash}\`), what was lost and why, and the hash of each file.`,
    '',
    `Params: ${code(canonicalJson(run.params))}, seed ${run.seed}.`,
    '',
    ...definitionSection(metadata.definitions),
  ];
}

/** Lists the definitions under which rows were made, if the pipeline changed during the run. */
function definitionSection(definitions: DistisetMetadata['definitions']): readonly string[] {
  if (definitions.length < 2) return [];
  return [
    '## Definitions',
    '',
    `The pipeline changed while the run went on: its rows were made under ${definitions.length} definitions.`,
    '',
    ...definitions.flatMap(({ from, to, recordedAt, changes, files }) => {
      const lines = [
        ...changes.flatMap(({ step, difference }) => (difference.length > 0 ? [`@@ step ${step} @@`, ...difference] : [])),
        ...files.flatMap(({ path, difference }) => (difference.length > 0 ? [`@@ file ${path} @@`, ...difference] : [])),
      ];
      const fence = '`'.repeat(Math.max(3, longestRun(lines.join('\n')) + 1));
      return [
        `* Positions ${from} to ${to} of the log (since ${recordedAt}): ${definitionWords(changes, files)}.`,
        '',
        ...(lines.length > 0 ? [`${fence}diff`, ...lines, fence, ''] : []),
      ];
    }),
  ];
}

function definitionWords(
  changes: DistisetMetadata['definitions'][number]['changes'],
  files: DistisetMetadata['definitions'][number]['files'],
): string {
  const words = [
    ...changes.map(
      ({ step, kind, parts }) => `${code(step)} ${kind === 'follows' ? 'follows a change above it' : `changed (${parts.join(', ')})`}`,
    ),
    ...files.map(({ path }) => `file ${code(path)} changed`),
  ];
  return words.length === 0 ? 'the definition with which the run started' : words.join('; ');
}

/** A note for readers of CSV files, because programs differ on the meaning of an empty field. */
const csvNote = [
  'In the CSV files null is an empty field and an empty text is `""`; lists and objects are JSON text. pandas and `load_dataset` take texts such as `NA` or `null` for missing values, unless they are told `keep_default_na=False`; Parquet and JSONL have no such doubts.',
  '',
];

/** A note on escaped texts. */
const formulaNote = [
  "In the CSV files an apostrophe stands before each text that a spreadsheet would take for a formula (`^'*[=+\\-@\\t\\r\\n＝＋－＠]`): without it, such a text is as it was.",
  '',
];

function configSection({ name, columns, firstRows, replaced }: WrittenConfig): readonly string[] {
  const example = firstRows.map(shortened).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(example) + 1));
  return [
    `## Config \`${name}\``,
    '',
    '| column | type |',
    '|---|---|',
    ...columns.map(({ name: column, typeName }) => `| ${code(column)} | ${code(typeName)}${typeName === 'json' ? ' (as text)' : ''} |`),
    '',
    ...(replaced > 0 ? [`${replaced} texts held lone surrogates, which the format cannot: they have U+FFFD in their place.`, ''] : []),
    ...(firstRows.length > 0
      ? ['Its first rows:', '', `${fence}json`, example, fence, '']
      : ['It has no rows: DuckDB, pandas and `load_dataset(…, streaming=True)` read it as such.', '']),
  ];
}

/** Returns any text as Markdown code that fits into a line or a table cell. */
function code(text: string): string {
  const inLine = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestRun(inLine) + 1);
  return ticks.length === 1 ? `\`${inLine}\`` : `${ticks} ${inLine} ${ticks}`;
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));

/** Returns a row as indented JSON, with long values and the whole text shortened. */
function shortened(row: JsonObject): string {
  const cells = Object.entries(row).map(([name, value]) => {
    const text = canonicalJson(value);
    return [name, text.length <= cellLengthMax ? value : cut(typeof value === 'string' ? value : text, cellLengthMax)] as const;
  });
  return cut(JSON.stringify(Object.fromEntries(cells), null, 2), exampleLengthMax);
}

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`);
