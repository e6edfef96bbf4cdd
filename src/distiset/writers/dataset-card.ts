import { stringify } from 'yaml';
import { canonicalJson, type JsonObject } from '#kit/json';
import type { DistisetMetadata } from './metadata.ts';
import { feature } from './features.ts';
import type { WrittenConfig } from './write-config.ts';

const exampleLengthMax = 2_000;
const sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000] as const;
const sizeNames = ['n<1K', '1K<n<10K', '10K<n<100K', '100K<n<1M', '1M<n<10M', '10M<n<100M', 'n>100M'] as const;

/** The directory's README.md: what `datasets` reads (YAML), then what people read. */
export function datasetCard(metadata: DistisetMetadata, configs: readonly WrittenConfig[]): string {
  const written = configs.filter(({ error }) => error === null);
  const front = {
    configs: written.map((config) => ({
      config_name: config.name,
      data_files: [{ split: 'train', path: `${folderOf(config.name)}/train-*` }],
    })),
    dataset_info: written.map((config) => ({
      config_name: config.name,
      features: config.columns.map(({ name, type }) => feature(name, type)),
      splits: [{ name: 'train', num_bytes: bytesOf(config), num_examples: config.rows }],
      download_size: bytesOf(config),
      dataset_size: bytesOf(config),
    })),
    size_categories: [sizeNames[sizes.findIndex((size) => Math.max(0, ...written.map(({ rows }) => rows)) < size)] ?? sizeNames.at(-1)],
    tags: ['synthetic', 'distilog'],
  };
  return `---\n${stringify(front, { lineWidth: 0 })}---\n\n${body(metadata, configs)}`;
}

function body({ run, asOf, distilog, leftOut, configs: states }: DistisetMetadata, configs: readonly WrittenConfig[]): string {
  const lines = [
    `# ${run.pipeline}`,
    '',
    `Made by [distilog](https://www.npmjs.com/package/distilog) ${distilog} from run \`${run.id}\` as of position ${asOf.position} of its log (${asOf.recordedAt}).`,
    `The run is **${run.status}** there${run.status === 'running' ? ': more rows may follow' : ''}.`,
    '',
    '| config | rows | state | rejected above or in it | SHA-256 of its rows |',
    '|---|---:|---|---:|---|',
    ...configs.map((config) => {
      const state = states.find(({ name }) => name === config.name);
      const rejected = state?.losses.filter(({ kind }) => kind === 'rejected').reduce((sum, { count }) => sum + count, 0) ?? 0;
      return `| ${config.name} | ${config.rows} | ${config.error ? `**not written**: ${escaped(config.error.message)}` : (state?.state ?? '')} | ${rejected} | \`${config.rowsSha256.slice(0, 16)}…\` |`;
    }),
    '',
    ...leftOut.map(({ name, state }) => `Left out: \`${name}\`, because it is ${state}.`),
    ...(leftOut.length > 0 ? [''] : []),
    ...configs.filter(({ error }) => error === null).flatMap(configSection),
    '## How it came to be',
    '',
    `Every event of the run is in its log. \`distilog.json\` has the position, the hash that covers the log up to there (\`${asOf.hash.slice(0, 16)}…\`), what was lost and why, and the hash of each file.`,
    `Params: \`${canonicalJson(run.params)}\`, seed ${run.seed}.`,
    '',
  ];
  return lines.join('\n');
}

function configSection({ name, columns, firstRows, replaced }: WrittenConfig): readonly string[] {
  const example = firstRows[0];
  return [
    `## Config \`${name}\``,
    '',
    '| column | type |',
    '|---|---|',
    ...columns.map(
      ({ name: column, typeName }) => `| ${escaped(column)} | ${escaped(typeName)}${typeName === 'json' ? ' (as text)' : ''} |`,
    ),
    '',
    ...(replaced > 0 ? [`${replaced} texts held lone surrogates, which Parquet cannot: they have U+FFFD in their place.`, ''] : []),
    ...(example ? ['```json', shortened(example), '```', ''] : ['It has no rows yet.', '']),
  ];
}

const folderOf = (config: string): string => (config === 'default' ? 'data' : config);

const bytesOf = ({ files }: WrittenConfig): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function shortened(row: JsonObject): string {
  const text = JSON.stringify(row, null, 2);
  return text.length <= exampleLengthMax ? text : `${text.slice(0, exampleLengthMax).toWellFormed()}\n…`;
}
