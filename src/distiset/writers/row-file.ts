import type { ColumnType } from './column-type.ts';
import type { TextBlock } from './row-text.ts';

export type Format = 'parquet' | 'jsonl' | 'csv';
export type Compression = 'snappy' | 'zstd';

export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** One file of rows, written in one go. */
export interface RowFile {
  /** Bytes on disk so far, about. */
  readonly bytes: number;
  /** Writes one row of a block. */
  write(block: TextBlock, row: number): void;
  close(): { readonly bytes: number; readonly sha256: string };
  abandon(): void;
}
