import fs from 'node:fs';
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';

/** Totals of Parquet files, read from the files. */
export interface ParquetFacts {
  readonly rows: number;
  readonly bytes: number;
}

/** Counts rows and bytes of a Parquet file, or of all Parquet files below a folder. */
export async function parquetFacts(place: string): Promise<ParquetFacts> {
  const files = fs.statSync(place).isDirectory()
    ? fs
        .readdirSync(place, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.parquet'))
        .map((name) => path.join(place, name))
    : [place];
  let rows = 0;
  let bytes = 0;
  for (const file of files) {
    rows += Number((await parquetMetadataAsync(await asyncBufferFromFile(file))).num_rows);
    bytes += fs.statSync(file).size;
  }
  return { rows, bytes };
}
