import type { ColumnType } from './column-type.ts';
import type { TextBlock } from './row-text.ts';

/** The format of a dataset's files. */
export type Format = 'parquet' | 'jsonl' | 'csv';
/** The compression of Parquet files. */
export type Compression = 'snappy' | 'zstd';

export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A file of rows, written sequentially. */
export interface RowFile {
  /** Approximate size on disk so far. */
  readonly bytes: number;
  /** Writes one row of a block. */
  write(block: TextBlock, row: number): void;
  close(): { readonly bytes: number; readonly sha256: string };
  abandon(): void;
}
