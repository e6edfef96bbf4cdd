import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { assert } from '../kit/assert.ts';
import { canonicalJson } from '../kit/json.ts';
import type { Distiset, DistisetConfig } from './create-distiset.ts';
import type { DistisetMetadata } from './writers/metadata.ts';
import type { Compression, Format } from './writers/row-file.ts';
import type { WrittenConfig } from './writers/write-config.ts';

/** Options for the files of a distiset. `distilog.json` has all of them, so that an export can be repeated. */
export interface FileOptions {
  readonly format: Format;
  readonly compression: Compression;
  readonly csvEscapeFormulas: boolean;
  /** Size in bytes after which the next file begins. */
  readonly shardBytesMax: number;
}

/** Returns the metadata of a distiset after its configs are written. `distilog` is the version that wrote them. */
export function metadataOf(
  distiset: Distiset,
  written: readonly WrittenConfig[],
  { format, compression, csvEscapeFormulas, shardBytesMax }: FileOptions,
  distilog: string,
): DistisetMetadata {
  const { runId, pipeline, startedAt, status, seed, params, signature, program, asOf, definitions, leftOut, include, steps } = distiset;
  return {
    distilog,
    run: { id: runId, pipeline, startedAt, status, seed, params, signature, program },
    asOf,
    options: { include, steps, shardBytesMax, csvEscapeFormulas: format === 'csv' ? csvEscapeFormulas : null },
    definitions,
    configs: distiset.configs.map((config, index) => configMetadata(config, written[index] as WrittenConfig)),
    leftOut,
    writer: {
      format,
      compression: format === 'parquet' ? compression : null,
      library: libraryOf(format),
      node: process.versions.node,
    },
  };
}

/** Returns the text of `distilog.json`. Keys are sorted at every depth, because a state from a snapshot may have another order of keys than a folded one. */
export const metadataText = (metadata: DistisetMetadata): string => `${JSON.stringify(JSON.parse(canonicalJson(metadata)), null, 2)}\n`;

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

/** Returns the name and version of the library that writes a format. */
export function libraryOf(format: Format): string {
  const library = libraries[format];
  return library === null ? 'distilog' : `${library} ${versionOf(library)}`;
}

/** Returns a package's version. It searches the folders above the package's entry, because not every package exports its package.json. */
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
