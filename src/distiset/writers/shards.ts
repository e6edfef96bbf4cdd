import type { FileSink } from './file-sink.ts';
import { openRowFile, type RowFileOptions } from './open-row-file.ts';
import type { Format, RowFile, TypedColumn } from './row-file.ts';
import type { TextBlock } from './row-text.ts';

/** A file that was written. */
export interface WrittenFile {
  /** The path relative to the directory. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ShardOptions extends RowFileOptions {
  /** Size in bytes after which the next file begins. */
  readonly shardBytesMax: number;
}

/** Writes the rows of a config to one or more files. The files get their names at the end, when their number is known. A config without rows gets one empty file. */
export class Shards {
  readonly #files: FileSink;
  readonly #folder: string;
  readonly #columns: readonly TypedColumn[];
  readonly #options: ShardOptions;
  readonly #closed: Omit<WrittenFile, 'path'>[] = [];
  #open: RowFile | undefined;
  #rows = 0;

  constructor(files: FileSink, folder: string, columns: readonly TypedColumn[], options: ShardOptions) {
    this.#files = files;
    this.#folder = folder;
    this.#columns = columns;
    this.#options = options;
  }

  write(block: TextBlock, row: number): void {
    this.#open ??= openRowFile(this.#files.open(this.#temporaryPath(this.#closed.length)), this.#columns, this.#options);
    this.#open.write(block, row);
    this.#rows++;
    if (this.#open.bytes >= this.#options.shardBytesMax) this.#close(this.#open);
  }

  /** Ends the last file and renames all files. */
  finish(): readonly WrittenFile[] {
    if (this.#closed.length === 0) this.#open ??= openRowFile(this.#files.open(this.#temporaryPath(0)), this.#columns, this.#options);
    if (this.#open) this.#close(this.#open);
    return this.#closed.map((shard, index) => {
      const name = shardName(this.#folder, index, this.#closed.length, this.#options.format);
      this.#files.rename(this.#temporaryPath(index), name);
      return { path: name, ...shard };
    });
  }

  /** Removes all files that were written. */
  abandon(): void {
    this.#open?.abandon();
    this.#files.removeFolder(this.#folder);
  }

  #close(file: RowFile): void {
    this.#closed.push({ rows: this.#rows, ...file.close() });
    this.#open = undefined;
    this.#rows = 0;
  }

  #temporaryPath = (index: number): string => `${this.#folder}/shard-${index}`;
}

/** Returns the path of the n-th of `count` files of a config, relative to the distiset. */
export const shardName = (folder: string, index: number, count: number, format: Format): string =>
  `${folder}/train-${numbered(index)}-of-${numbered(count)}.${format}`;

const numbered = (index: number): string => String(index).padStart(5, '0');
