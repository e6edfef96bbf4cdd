import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { assert } from '#kit/assert';
import { canonicalJson } from '#kit/json';
import type { Distiset, DistisetConfig } from './create-distiset.ts';
import { datasetCard } from './writers/dataset-card.ts';
import type { DistisetMetadata } from './writers/metadata.ts';
import { beginDirectory, writeFault } from './writers/output-directory.ts';
import type { Compression, Format } from './writers/row-file.ts';
import { writeConfig, type WrittenConfig } from './writers/write-config.ts';

export interface WriteOptions {
  /** Must not exist; its parent must. */
  readonly directory: string;
  readonly format?: Format | undefined;
  /** Of Parquet files; default zstd, which is native here: faster and smaller. Snappy is for readers that know nothing else. */
  readonly compression?: Compression | undefined;
  /** Bytes of a file after which the next begins; default 256 MiB. */
  readonly shardBytesMax?: number | undefined;
  /** Told after each block of rows how long it was: UTF-16 code units of the rows as canonical JSON. */
  readonly onWritten?: ((length: number) => void) | undefined;
  /** The version that writes, for the metadata. */
  readonly distilog: string;
}

export interface WrittenDistiset {
  readonly directory: string;
  readonly metadata: DistisetMetadata;
}

/**
 * Writes a distiset as a directory that `datasets.load_dataset`, pandas and DuckDB read as it lies: files per config, a card, `distilog.json`. It appears
 * whole or not at all, and memory does not grow with it. A config whose rows cannot be read is left without files and says why; the others arrive.
 * Throws `Fault`s: `output-exists`, `output-unwritable`, `disk-full`, `write-failed`.
 */
export async function writeDistiset(distiset: Distiset, options: WriteOptions): Promise<WrittenDistiset> {
  const { directory, format = 'parquet', compression = 'zstd', shardBytesMax, onWritten, distilog } = options;
  const output = beginDirectory(directory);
  try {
    const written: WrittenConfig[] = [];
    for (const config of distiset.configs)
      written.push(await writeConfig(output.temporary, config, { format, compression, shardBytesMax, onWritten }));
    const metadata = metadataOf(distiset, written, { format, compression, distilog });
    writeFile(path.join(output.temporary, 'distilog.json'), metadataText(metadata));
    writeFile(path.join(output.temporary, 'README.md'), datasetCard(metadata, written));
    output.publish();
    return { directory, metadata };
  } catch (error) {
    output.abandon();
    throw writeFault(error, directory);
  }
}

/** Keys sorted at every depth: states that come from a snapshot have theirs in another order than states that were folded just now. */
const metadataText = (metadata: DistisetMetadata): string => `${JSON.stringify(JSON.parse(canonicalJson(metadata)), null, 2)}\n`;

function writeFile(file: string, text: string): void {
  fs.writeFileSync(file, text, { flag: 'wx', flush: true });
}

function metadataOf(
  distiset: Distiset,
  written: readonly WrittenConfig[],
  { format, compression, distilog }: { readonly format: Format; readonly compression: Compression; readonly distilog: string },
): DistisetMetadata {
  const { runId, pipeline, startedAt, status, seed, params, signature, program, asOf, definitions, leftOut } = distiset;
  return {
    distilog,
    run: { id: runId, pipeline, startedAt, status, seed, params, signature, program },
    asOf,
    definitions,
    configs: distiset.configs.map((config, index) => configMetadata(config, written[index] as WrittenConfig)),
    leftOut,
    writer: {
      format,
      compression: format === 'parquet' ? compression : null,
      library: writerOf(format),
      node: process.versions.node,
    },
  };
}

function configMetadata(config: DistisetConfig, written: WrittenConfig): DistisetMetadata['configs'][number] {
  const { name, step, state, batches, sourceShare, losses } = config;
  const { rows, rowsSha256, files, replaced, error } = written;
  const columns = config.columns.map((column, index) => ({
    name: column.name,
    type: written.columns[index]?.typeName ?? 'json',
    schema: column.schema,
  }));
  return { name, step, state, rows, rowsSha256, files, batches, sourceShare, losses, columns, replaced, error };
}

const libraries: Readonly<Record<Format, string | null>> = { parquet: 'hyparquet-writer', csv: 'csv-stringify', jsonl: null };

/** What writes files of a format, with its version. */
function writerOf(format: Format): string {
  const library = libraries[format];
  return library === null ? 'distilog' : `${library} ${versionOf(library)}`;
}

/** Of a package: not every one lets its package.json be imported, so that is looked for above its entry. */
function versionOf(library: string): string {
  for (let folder = path.dirname(createRequire(import.meta.url).resolve(library)); ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    const found = fs.existsSync(file)
      ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { readonly name?: string; readonly version?: string })
      : {};
    if (found.name === library && found.version !== undefined) return found.version;
    assert(folder !== path.dirname(folder), `${library} has a package.json`);
  }
}
