import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { canonicalJson, type JsonObject } from '#kit/json';
import type { ColumnType } from './column-type.ts';
import { HashedFile } from './hashed-file.ts';
import { parquetValue, schemaElements, type Replacements } from './parquet-columns.ts';

export type Format = 'parquet' | 'jsonl';
export type Compression = 'snappy' | 'zstd';

export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** One file of rows, written in one go. */
export interface RowFile {
  /** Bytes on disk so far, about. */
  readonly bytes: number;
  /** Takes a row; `size` is about how many bytes it has. */
  write(row: JsonObject, size: number): void;
  close(): { readonly bytes: number; readonly sha256: string };
  abandon(): void;
}

/** Rows, and bytes of their JSON, in a Parquet row group: what is held in memory. */
const groupRowsMax = 10_000;
const groupBytesMax = 16 * 1024 * 1024;
const flushBytes = 1024 * 1024;

/** Opens a file of the given format. */
export function openRowFile(
  path: string,
  columns: readonly TypedColumn[],
  options: { readonly format: Format; readonly compression: Compression; readonly replaced: Replacements },
): RowFile {
  return options.format === 'jsonl' ? jsonlFile(path, columns) : parquetFile(path, columns, options.compression, options.replaced);
}

/** One row a line, columns in their order. */
function jsonlFile(path: string, columns: readonly TypedColumn[]): RowFile {
  const file = new HashedFile(path);
  let lines = '';
  const flush = () => {
    file.write(Buffer.from(lines, 'utf8'));
    lines = '';
  };
  return {
    get bytes() {
      return file.bytes + lines.length;
    },
    write: (row) => {
      lines += `{${columns.map(({ name }) => `${JSON.stringify(name)}:${canonicalJson(row[name] ?? null)}`).join(',')}}\n`;
      if (lines.length > flushBytes) flush();
    },
    close: () => {
      flush();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}

function parquetFile(path: string, columns: readonly TypedColumn[], compression: Compression, replaced: Replacements): RowFile {
  const file = new HashedFile(path);
  const bytes = new ByteWriter();
  const drain = () => {
    file.write(bytes.getBytes());
    bytes.index = 0;
  };
  const writer = new ParquetWriter({
    writer: Object.assign(bytes, { flush: drain, finish: drain }),
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(({ name, type }) => schemaElements(name, type))],
    codec: compression === 'zstd' ? 'ZSTD' : 'SNAPPY',
    compressors: { ZSTD: (input: Uint8Array) => zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }) },
    createdBy: 'distilog',
  });
  let values: unknown[][] = columns.map(() => []);
  let groupRows = 0;
  let groupBytes = 0;
  const flush = () => {
    if (groupRows > 0)
      void writer.write({ columnData: columns.map(({ name }, index) => ({ name, data: values[index] ?? [] })), rowGroupSize: groupRows });
    values = columns.map(() => []);
    groupRows = 0;
    groupBytes = 0;
  };
  return {
    get bytes() {
      return file.bytes;
    },
    write: (row, size) => {
      for (let index = 0; index < columns.length; index++) {
        const { name, type } = columns[index] as TypedColumn;
        values[index]?.push(parquetValue(row[name], type, replaced));
      }
      groupRows++;
      groupBytes += size;
      if (groupRows >= groupRowsMax || groupBytes >= groupBytesMax) flush();
    },
    close: () => {
      flush();
      void writer.finish();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}
