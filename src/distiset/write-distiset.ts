import fs from 'node:fs';
import path from 'node:path';
import type { Distiset } from './create-distiset.ts';
import { metadataOf, metadataText } from './describe-distiset.ts';
import { datasetCard } from './writers/dataset-card.ts';
import { diskFiles } from './writers/file-sink.ts';
import type { DistisetMetadata } from './writers/metadata.ts';
import { beginDirectory, writeFault } from './writers/output-directory.ts';
import type { Compression, Format } from './writers/row-file.ts';
import { shardBytesDefault, writeConfig, type WrittenConfig } from './writers/write-config.ts';

export interface WriteOptions {
  /** Must not exist; its parent must. */
  readonly directory: string;
  readonly format?: Format | undefined;
  /** Of Parquet files; default zstd, which is native here: faster and smaller. Snappy is for readers that know nothing else. */
  readonly compression?: Compression | undefined;
  /**
   * Of CSV files: puts an apostrophe before each text that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, tab, line end), and before such a text
   * that has apostrophes already. Default false: texts stay as they are.
   */
  readonly csvEscapeFormulas?: boolean | undefined;
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
  const {
    directory,
    format = 'parquet',
    compression = 'zstd',
    csvEscapeFormulas = false,
    shardBytesMax = shardBytesDefault,
    onWritten,
    distilog,
  } = options;
  const fileOptions = { format, compression, csvEscapeFormulas, shardBytesMax };
  const output = beginDirectory(directory);
  try {
    const sink = diskFiles(output.temporary);
    const written: WrittenConfig[] = [];
    for (const config of distiset.configs) written.push(await writeConfig(sink, config, { ...fileOptions, onWritten }));
    const metadata = metadataOf(distiset, written, fileOptions, distilog);
    writeFile(path.join(output.temporary, 'distilog.json'), metadataText(metadata));
    writeFile(path.join(output.temporary, 'README.md'), datasetCard(metadata, written));
    output.publish();
    return { directory, metadata };
  } catch (error) {
    output.abandon();
    throw writeFault(error, directory);
  }
}

function writeFile(file: string, text: string): void {
  fs.writeFileSync(file, text, { flag: 'wx', flush: true });
}
