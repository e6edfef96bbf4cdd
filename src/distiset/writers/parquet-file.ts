import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { gatheredColumn } from './gathered-column.ts';
import type { HashedFile } from './hashed-file.ts';
import { schemaElements, type Replacements } from './parquet-columns.ts';
import type { Compression, RowFile, TypedColumn } from './row-file.ts';

/** Rows, and UTF-16 code units of their JSON, in a row group: what is held in memory. */
const groupRowsMax = 10_000;
const groupLengthMax = 16 * 1024 * 1024;

/** The writer keeps the least and the greatest value of each row group until the file ends, whole: not those of long texts. */
const statisticsLengthMax = 4 * 1024;

const zstdLevel = 3;

/** A Parquet file: data pages v2, dictionaries where they halve a column, statistics. The same rows give the same bytes. */
export function parquetFile(
  file: HashedFile,
  columns: readonly TypedColumn[],
  { compression, replaced }: { readonly compression: Compression; readonly replaced: Replacements },
): RowFile {
  const bytes = new ByteWriter();
  const drain = () => {
    file.write(bytes.getBytes());
    bytes.index = 0;
  };
  const writer = new ParquetWriter({
    writer: Object.assign(bytes, { flush: drain, finish: drain }),
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(({ name, type }) => schemaElements(name, type))],
    codec: compression === 'zstd' ? 'ZSTD' : 'SNAPPY',
    compressors: { ZSTD: (input: Uint8Array) => zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }) },
    createdBy: 'distilog',
  });
  const gathered = columns.map(({ name, type }) => ({ name, values: gatheredColumn(type, replaced), longest: 0 }));
  let rows = 0;
  let length = 0;
  const flush = () => {
    if (rows === 0) return;
    const columnData = gathered.map(({ name, values, longest }) => ({
      name,
      data: values.take(),
      statistics: longest <= statisticsLengthMax,
    }));
    void writer.write({ columnData, rowGroupSize: rows });
    letGoOfBytes(writer.row_groups.at(-1)?.columns ?? []);
    for (const column of gathered) column.longest = 0;
    rows = 0;
    length = 0;
  };
  return {
    get bytes() {
      return file.bytes;
    },
    write: ({ values, cells, texts }, row) => {
      for (const [index, column] of gathered.entries()) {
        const cell = cells[index]?.[row];
        if (cell === undefined) continue;
        column.values.add(values[index]?.[row], cell);
        column.longest = Math.max(column.longest, cell.length);
      }
      rows++;
      length += texts[row]?.length ?? 0;
      if (rows >= groupRowsMax || length >= groupLengthMax) flush();
    },
    close: () => {
      flush();
      void writer.finish();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}

/** The least and the greatest value stay until the file ends: they must not keep the memory that they were encoded into, which others will use. */
function letGoOfBytes(written: ParquetWriter['row_groups'][number]['columns']): void {
  for (const { meta_data: data } of written) {
    const statistics = data?.statistics;
    if (statistics?.min_value instanceof Uint8Array) statistics.min_value = statistics.min_value.slice();
    if (statistics?.max_value instanceof Uint8Array) statistics.max_value = statistics.max_value.slice();
  }
}
