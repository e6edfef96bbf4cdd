// Converts a JSONL file to Parquet with DuckDB: duckdb-child.ts JSONL PARQUET.
import { DuckDBInstance } from '@duckdb/node-api';
import { printMeasurement } from '../measured-process.ts';

const [jsonl = '', parquet = ''] = process.argv.slice(2);
const connection = await (await DuckDBInstance.create(':memory:')).connect();
await printMeasurement(async () => {
  const copied = await connection.runAndReadAll(
    `copy (select * from read_json('${jsonl}')) to '${parquet}' (format parquet, compression zstd)`,
  );
  return Number(copied.getRows()[0]?.[0]);
});
