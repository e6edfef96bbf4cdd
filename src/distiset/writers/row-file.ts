import type { ColumnType } from './column-type.ts';
import type { RowText } from './row-text.ts';

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
  write(row: RowText): void;
  close(): { readonly bytes: number; readonly sha256: string };
  abandon(): void;
}
