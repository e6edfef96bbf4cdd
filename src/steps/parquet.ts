import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type FileMetaData, type SchemaTree } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { codeOf, Fault, isFault, messageOf } from '../kit/fault.ts';
import type { Columns, SourceStep } from '../pipeline/index.ts';
import { columnKinds } from './files/column-kinds.ts';
import { fileSource, type FileFormat, type FileOptions } from './files/file-source.ts';
import { createRowFit } from './files/fitting.ts';
import type { Schema } from './files/json-schema.ts';
import { refuseMissing } from './files/missing-columns.ts';
import type { OpenFile } from './files/open-file.ts';
import { jsonValue, NotJson, parquetParsers } from './files/parquet-values.ts';
import { RowError } from './files/row-error.ts';

/** Options of a Parquet file. */
export type ParquetOptions<S extends Columns> = FileOptions<S>;

/**
 * Reads a Parquet file: `source('rows', parquet('rows.parquet', { output: z.object({ text: z.string(), year: z.int().nullable() }) }))`. The path is relative to
 * the working directory, or a URL: `new URL('./rows.parquet', import.meta.url)`. Only declared columns are read, one row group at a time. 64-bit integers become
 * numbers if a number holds them exactly. Timestamps and dates become ISO 8601 texts. A row with a value that does not match is rejected (`invalid-value`).
 */
export function parquet<S extends Columns>(path: string | URL, options: ParquetOptions<S>): SourceStep<S> {
  return fileSource(path, options, parquetFormat(options.output));
}

const parquetFormat = (output: Columns): FileFormat => ({
  id: 'parquet',
  settings: {},
  counter: () => ({ end: async (open) => Number((await metadataOf(open)).num_rows) }),
  async *rows(open, { offset, signal }) {
    const { name } = open.file;
    const metadata = await metadataOf(open);
    const nodes = parquetSchema(metadata).children;
    const names = nodes.map(({ element }) => element.name);
    refuseMissing(name, names, output);
    const columns = Object.entries(output.shape)
      .filter(([column]) => names.includes(column))
      .map(([column, type]) => ({ name: column, node: nodes[names.indexOf(column)] as SchemaTree, schema: columnKinds(type).schema }));
    for (const column of columns) refusePrototypeMember(name, column);
    const fit = createRowFit(output);
    let item = offset;
    for await (const found of parquetRows(open, metadata, { columns: columns.map((column) => column.name), offset, signal })) {
      item++;
      const where = () => `${name}, row ${item}`;
      const row = rowOf(found, columns, where);
      yield row instanceof Error ? row : fit(row, where);
    }
  },
});

interface ParquetColumn {
  readonly name: string;
  readonly node: SchemaTree;
  readonly schema: Schema;
}

/** Refuses a column with a member that the reader would lose. */
function refusePrototypeMember(file: string, { name, node }: ParquetColumn): void {
  const holds = ({ element, children }: SchemaTree): boolean => element.name === '__proto__' || children.some(holds);
  if (holds(node))
    throw new Fault(
      'source-unreadable',
      `${file}: column ${name} has a member called __proto__, which cannot be read. Rename it in the file.`,
    );
}

function rowOf(
  found: Readonly<Record<string, unknown>>,
  columns: readonly ParquetColumn[],
  where: () => string,
): Readonly<Record<string, unknown>> | RowError {
  const row: Record<string, unknown> = {};
  for (const { name, node, schema } of columns) {
    const value = jsonValue(found[name], node, schema);
    if (value instanceof NotJson)
      return new RowError('invalid-value', `${where()}, column ${name}: expected a value that JSON can hold, got ${value.what}.`);
    row[name] = value;
  }
  return row;
}

/** Reads rows in the reader's form, from `offset` on. Row groups before it are not read. */
export async function* parquetRows(
  open: OpenFile,
  metadata: FileMetaData,
  { columns, offset, signal }: { readonly columns: readonly string[]; readonly offset: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  refuseCodecs(open.file.name, metadata, columns);
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    if (end > offset) {
      signal?.throwIfAborted();
      const rowStart = Math.max(start, offset);
      const rows = await readOrFault(open, `rows ${rowStart + 1} to ${end}`, () =>
        parquetReadObjects({
          file: bufferOf(open),
          metadata,
          columns: [...columns],
          rowStart,
          rowEnd: end,
          compressors,
          parsers: parquetParsers,
          geoparquet: false,
        }),
      );
      if (rows.length !== end - rowStart) throw broken(open, `rows ${rowStart + 1} to ${end}`, `it holds ${rows.length} of them`);
      yield* rows;
    }
    start = end;
  }
}

/** Reads the metadata at the end of the file. Throws `Fault('source-unreadable')`. */
export async function metadataOf(open: OpenFile): Promise<FileMetaData> {
  const { name } = open.file;
  if (open.bytes < 12) throw new Fault('source-unreadable', `${name} is not a Parquet file: it has ${open.bytes} bytes.`);
  const magic = Buffer.from(await open.slice(open.bytes - 4, open.bytes)).toString('latin1');
  if (magic === 'PARE') throw new Fault('source-unreadable', `${name} is encrypted, which cannot be read. Decrypt it first.`);
  if (magic !== 'PAR1')
    throw new Fault('source-unreadable', `${name} is not a Parquet file, or its end is missing: it does not end in PAR1.`);
  return readOrFault(open, 'its metadata', () => parquetMetadataAsync(bufferOf(open), { parsers: parquetParsers, geoparquet: false }));
}

const bufferOf = ({ bytes, slice }: OpenFile): AsyncBuffer => ({ byteLength: bytes, slice: (start, end = bytes) => slice(start, end) });

async function readOrFault<T>(open: OpenFile, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === 'source-changed' || isFault(error)) throw error;
    throw broken(open, what, messageOf(error), error);
  }
}

const broken = ({ file }: OpenFile, what: string, why: string, cause?: unknown) =>
  new Fault('source-unreadable', `${file.name} cannot be read (${what}): ${why}. Write it again with another tool.`, { cause });

function refuseCodecs(name: string, { row_groups: groups }: FileMetaData, columns: readonly string[]): void {
  for (const group of groups) {
    for (const { meta_data: chunk } of group.columns) {
      if (!chunk || !columns.includes(chunk.path_in_schema[0] ?? '') || chunk.codec === 'UNCOMPRESSED' || compressors[chunk.codec])
        continue;
      throw new Fault(
        'source-unreadable',
        `${name} is compressed with ${chunk.codec ?? 'an unknown codec'}, which cannot be read. Write it again with one of ${Object.keys(compressors).join(', ')}.`,
      );
    }
  }
}
