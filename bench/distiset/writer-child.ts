// Writes the rows of a JSONL file with hyparquet-writer only, as exports do: writer-child.ts JSONL PARQUET. Reading is not counted.
import fs from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { printMeasurement } from '../measured-process.ts';
import { columnsOfJsonl } from './columns-of-jsonl.ts';

/** Rows in a row group, as in an export. */
const rowGroupSize = 10_000;

const [jsonl = '', parquet = ''] = process.argv.slice(2);
const { count, columns } = columnsOfJsonl(jsonl);
const columnData = columns.map(({ name, values }) => ({
  name,
  type: typeof values[0] === 'number' ? ('DOUBLE' as const) : ('STRING' as const),
  data: [...values],
}));
await printMeasurement(async () => {
  fs.writeFileSync(
    parquet,
    new Uint8Array(
      parquetWriteBuffer({ columnData, rowGroupSize, codec: 'ZSTD', compressors: { ZSTD: (input) => zstdCompressSync(input) } }),
    ),
  );
  return count;
});
