import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { createColumnBuffer } from './column-buffer.ts';
import type { HashedFile } from './hashed-file.ts';
import { schemaElements, type Replacements } from './parquet-columns.ts';
import type { Compression, RowFile, TypedColumn } from './row-file.ts';

/** Maximum number of rows in a row group, and of UTF-16 code units of their JSON. They bound the memory of the writer. */
const groupRowsMax = 10_000;
const groupLengthMax = 16 * 1024 * 1024;

/** Columns with longer values get no statistics, because the writer keeps the whole minimum and maximum of each row group until the file ends. */
const statisticsLengthMax = 4 * 1024;

const zstdLevel = 3;

/** Begins a Parquet file with data pages v2, statistics, and dictionaries for columns that they halve. The same rows give the same bytes. */
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
  const buffers = columns.map(({ name, type }) => ({ name, values: createColumnBuffer(type, replaced), longest: 0 }));
  let rows = 0;
  let length = 0;
  const flush = () => {
    if (rows === 0) return;
    const columnData = buffers.map(({ name, values, longest }) => ({
      name,
      data: values.take(),
      statistics: longest <= statisticsLengthMax,
    }));
    void writer.write({ columnData, rowGroupSize: rows });
    copyStatistics(writer.row_groups.at(-1)?.columns ?? []);
    for (const column of buffers) column.longest = 0;
    rows = 0;
    length = 0;
  };
  return {
    get bytes() {
      return file.bytes;
    },
    write: ({ values, cells, texts }, row) => {
      for (const [index, column] of buffers.entries()) {
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

/** Copies the minima and maxima of a row group. They stay until the file ends and must not share the encoder's memory, which is reused. */
function copyStatistics(written: ParquetWriter['row_groups'][number]['columns']): void {
  for (const { meta_data: data } of written) {
    const statistics = data?.statistics;
    if (statistics?.min_value instanceof Uint8Array) statistics.min_value = statistics.min_value.slice();
    if (statistics?.max_value instanceof Uint8Array) statistics.max_value = statistics.max_value.slice();
  }
}
