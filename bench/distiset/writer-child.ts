// Makes a Parquet file of a JSONL file's rows with nothing but the writer that our exports use: writer-child.ts JSONL PARQUET. Reading is not counted.
import fs from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { tell } from '../measured-process.ts';

/** Rows in a row group, as our exports have them. */
const rowGroupSize = 10_000;

const [jsonl = '', parquet = ''] = process.argv.slice(2);
const rows = fs
  .readFileSync(jsonl, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly n: number; readonly text: string; readonly length: number });
const column = (name: 'n' | 'text' | 'length', type: 'DOUBLE' | 'STRING') => ({ name, type, data: rows.map((row) => row[name]) });
const columnData = [column('n', 'DOUBLE'), column('text', 'STRING'), column('length', 'DOUBLE')];
await tell(async () => {
  fs.writeFileSync(parquet, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize })));
  return rows.length;
});
