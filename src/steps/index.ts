export { csv, type CsvDialect, type CsvOptions } from './csv.ts';
export type { Encoding } from './files/decode.ts';
export type { FileOptions } from './files/file-source.ts';
export { jsonl, type JsonlOptions } from './jsonl.ts';
export { textValue } from './files/text-value.ts';
export { parquet, type ParquetOptions } from './parquet.ts';
export { sampleFile, type FileSample } from './sample-file.ts';
