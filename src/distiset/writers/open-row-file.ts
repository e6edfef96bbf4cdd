import type { HashedFile } from './hashed-file.ts';
import { csvFile } from './csv-file.ts';
import { jsonlFile } from './jsonl-file.ts';
import type { Replacements } from './parquet-columns.ts';
import { parquetFile } from './parquet-file.ts';
import type { Compression, Format, RowFile, TypedColumn } from './row-file.ts';

/** Options of a file of rows. */
export interface RowFileOptions {
  readonly format: Format;
  /** Compression of Parquet files. The other formats are plain text. */
  readonly compression: Compression;
  /** For CSV files: whether texts that a spreadsheet takes for formulas get an apostrophe before them. */
  readonly csvEscapeFormulas: boolean;
  readonly replaced: Replacements;
}

/** Begins a file of rows in the given format. */
export function openRowFile(file: HashedFile, columns: readonly TypedColumn[], options: RowFileOptions): RowFile {
  switch (options.format) {
    case 'csv':
      return csvFile(file, columns, options);
    case 'jsonl':
      return jsonlFile(file, columns, options);
    case 'parquet':
      return parquetFile(file, columns, options);
  }
}
