export { csv, type CsvOptions } from './csv.ts';
export { jsonl, type JsonlOptions } from './jsonl.ts';
export { parquet, type ParquetOptions } from './parquet.ts';
export { sampleFile, type FileSample } from './sample-file.ts';
