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

/** Opens a file of the given format. */
export function openRowFile(path: string, columns: readonly TypedColumn[], { format, compression, replaced }: RowFileOptions): RowFile {
  switch (format) {
    case 'csv':
      return csvFile(path, columns, replaced);
    case 'jsonl':
      return jsonlFile(path, columns);
    case 'parquet':
      return parquetFile(path, columns, { compression, replaced });
  }
}
