import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type FileMetaData, type SchemaElement } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { schemaElements } from '../writers/parquet-columns.ts';
import type { Compression, TypedColumn } from '../writers/row-file.ts';
import { comparable } from './comparable.ts';
import { checkStatistics } from './parquet-statistics.ts';
import type { RowsRead } from './rows-read.ts';
import { UnexpectedFile } from './unexpected-file.ts';

/** Maximum size of a row group before compression. It bounds memory even if the file's metadata is wrong. */
const groupBytesMax = 1024 * 1024 * 1024;

const codecs: Readonly<Record<Compression, string>> = { zstd: 'ZSTD', snappy: 'SNAPPY' };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// A text may begin with U+FEFF. Bytes that are not UTF-8 end the comparison.
const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => (bytes ? utf8.decode(bytes) : null) };

/** Reads the rows of a Parquet file as comparable texts, a row group at a time. Throws `UnexpectedFile` for other columns or additional metadata. */
export async function* parquetRows(path: string, { columns, compression }: RowsRead): AsyncGenerator<string> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file, { parsers, geoparquet: false });
  refuseUnexpected(metadata, columns, codecs[compression]);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const { num_rows: many, total_byte_size: bytes } = group;
    if (Number(bytes) > groupBytesMax) throw new UnexpectedFile(`has a row group of ${bytes} bytes, which distilog does not write`);
    const rowEnd = rowStart + Number(many);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors, parsers, geoparquet: false });
    if (rows.length !== rowEnd - rowStart)
      throw new UnexpectedFile(`has ${rows.length} rows where its row group says ${rowEnd - rowStart}`);
    checkStatistics(group, columns, rows);
    for (const row of rows) yield comparable(columns.map(({ name }) => row[name]));
    rowStart = rowEnd;
  }
}

function refuseUnexpected(
  { schema, key_value_metadata: pairs, num_rows: rows, row_groups: groups }: FileMetaData,
  columns: readonly TypedColumn[],
  expectedCodec: string,
): void {
  const [, ...elements] = schema;
  const expected = columns.flatMap(({ name, type }) => schemaElements(name, type));
  if (comparable(elements.map(shapeOf)) !== comparable(expected.map((element) => shapeOf(element as SchemaElement))))
    throw new UnexpectedFile('has other columns than the definition');
  // Readers such as pyarrow and datasets take types and names from this metadata.
  if (pairs !== undefined && pairs.length > 0) throw new UnexpectedFile(`has metadata that distilog does not write (${pairs[0]?.key})`);
  const codec = groups.flatMap((group) => group.columns).find(({ meta_data: data }) => data?.codec !== expectedCodec)?.meta_data?.codec;
  if (codec !== undefined) throw new UnexpectedFile(`is compressed with ${codec}, and distilog.json says ${expectedCodec}`);
  const inGroups = groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows !== inGroups) throw new UnexpectedFile(`says that it has ${rows} rows, and its row groups have ${inGroups}`);
}

const shapeOf = ({ name, type, repetition_type: repetition, num_children: children, converted_type: converted }: SchemaElement) => [
  name,
  type,
  repetition,
  children,
  converted,
];
