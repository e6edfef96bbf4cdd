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
  /** Of CSV files: whether texts that a spreadsheet takes for formulas get an apostrophe before them. */
  readonly csvEscapeFormulas: boolean;
  readonly replaced: Replacements;
}

/** Begins rows of the given format in a file. */
export function openRowFile(file: HashedFile, columns: readonly TypedColumn[], options: RowFileOptions): RowFile {
  switch (options.format) {
    case 'csv':
      return csvFile(file, columns, options);
    case 'jsonl':
      return jsonlFile(file, columns);
    case 'parquet':
      return parquetFile(file, columns, options);
  }
}
