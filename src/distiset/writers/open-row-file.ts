import type { HashedFile } from './hashed-file.ts';
import { csvFile } from './csv-file.ts';
import { jsonlFile } from './jsonl-file.ts';
import type { Replacements } from './parquet-columns.ts';
import { parquetFile } from './parquet-file.ts';
import type { Compression, Format, RowFile, TypedColumn } from './row-file.ts';

export interface RowFileOptions {
  readonly format: Format;
  /** Of Parquet files; the others are plain text. */
  readonly compression: Compression;
  readonly replaced: Replacements;
}

/** Begins rows of the given format in a file. */
export function openRowFile(file: HashedFile, columns: readonly TypedColumn[], { format, compression, replaced }: RowFileOptions): RowFile {
  switch (format) {
    case 'csv':
      return csvFile(file, columns, replaced);
    case 'jsonl':
      return jsonlFile(file, columns);
    case 'parquet':
      return parquetFile(file, columns, { compression, replaced });
  }
}
