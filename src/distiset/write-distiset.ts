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

/** Options of `writeDistiset`. */
export interface WriteOptions {
  /** The directory to create. It must not exist, but its parent must. */
  readonly directory: string;
  readonly format?: Format | undefined;
  /** Compression of Parquet files. Default zstd, which is faster and smaller because it is native here. Use snappy for readers that support nothing else. */
  readonly compression?: Compression | undefined;
  /**
   * For CSV files: puts an apostrophe before each text that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, tab, line end), even if the text already
   * has apostrophes before it. Default false, which leaves texts unchanged.
   */
  readonly csvEscapeFormulas?: boolean | undefined;
  /** Size in bytes after which the next file begins. Default 256 MiB. */
  readonly shardBytesMax?: number | undefined;
  /** Called after each block of rows with its length: UTF-16 code units of the rows as canonical JSON. */
  readonly onWritten?: ((length: number) => void) | undefined;
  /** The version of distilog, for the metadata. */
  readonly distilog: string;
}

/** A distiset that was written to a directory. */
export interface WrittenDistiset {
  readonly directory: string;
  readonly metadata: DistisetMetadata;
}

/**
 * Writes a distiset as a directory that `datasets.load_dataset`, pandas and DuckDB read directly: files per config, a card and `distilog.json`. The directory
 * appears complete or not at all, and memory does not grow with its size. A config whose rows cannot be read has no files, and its metadata gives the error;
 * the other configs are written. Throws `Fault`s: `output-exists`, `output-unwritable`, `disk-full`, `write-failed`.
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
