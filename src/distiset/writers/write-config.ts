import { isAssertionError } from '../../kit/assert.ts';
import { codeOf, messageOf } from '../../kit/fault.ts';
import type { JsonObject } from '../../kit/json.ts';
import { sha256 } from '../../kit/sha256.ts';
import { rowBuilder } from '../../rows/index.ts';
import type { RowBlock } from '../row-blocks.ts';
import { columnType, typeName, type ColumnType } from './column-type.ts';
import type { FileSink } from './file-sink.ts';
import { LinesHash } from './lines-hash.ts';
import type { Compression, Format, TypedColumn } from './row-file.ts';
import { blockTexts } from './row-text.ts';
import { Shards, type WrittenFile } from './shards.ts';

/** Rows to be written: those of one config. */
export interface WritableConfig {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly schema: JsonObject }[];
  blocks(): AsyncIterable<RowBlock>;
}

export interface WrittenConfig {
  readonly name: string;
  /** Where its files are, in the directory. */
  readonly folder: string;
  readonly rows: number;
  /** SHA-256 over the rows as canonical JSON, a line each, whatever the format. */
  readonly rowsSha256: string;
  /** Bytes of the rows as canonical JSON. */
  readonly rowsBytes: number;
  readonly files: readonly WrittenFile[];
  readonly columns: readonly (TypedColumn & { readonly typeName: string })[];
  /** The first rows, for the card. */
  readonly firstRows: readonly JsonObject[];
  /** Texts with lone surrogates, which Parquet and CSV cannot hold: written with U+FFFD. */
  readonly replaced: number;
  /** Why it could not be written: then it has no rows and no files. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface WriteConfigOptions {
  readonly format: Format;
  readonly compression: Compression;
  /** Default false: see `WriteOptions`. */
  readonly csvEscapeFormulas?: boolean | undefined;
  /** Bytes of a file after which the next begins; default 256 MiB. */
  readonly shardBytesMax?: number | undefined;
  /** Told after each block of rows how long it was: UTF-16 code units of the rows as canonical JSON. */
  readonly onWritten?: ((length: number) => void) | undefined;
}

/** Bytes of a file after which the next begins, where an export does not say. */
export const shardBytesDefault = 256 * 1024 * 1024;
const firstRowsMax = 3;

/** Writes one config's rows, streamed. What goes wrong with its rows is told in the result; what goes wrong with the disk is thrown. */
export async function writeConfig(
  sink: FileSink,
  config: WritableConfig,
  { format, compression, csvEscapeFormulas = false, shardBytesMax = shardBytesDefault, onWritten = () => undefined }: WriteConfigOptions,
): Promise<WrittenConfig> {
  const folder = sink.makeFolder(wantedFolder(config.name));
  const columns = config.columns.map(({ name, schema }) => ({ name, type: typeIn(format, columnType(schema)) }));
  const described = columns.map((column) => ({ ...column, typeName: typeName(column.type) }));
  const replaced = { count: 0 };
  const shards = new Shards(sink, folder, columns, { format, compression, csvEscapeFormulas, replaced, shardBytesMax });
  const names = columns.map(({ name }) => name);
  const rowAt = rowBuilder(names);
  const textsOf = blockTexts(names);
  const hash = new LinesHash();
  const firstRows: JsonObject[] = [];
  let rows = 0;
  const base = { name: config.name, folder, columns: described };
  try {
    for await (const some of config.blocks()) {
      const block = textsOf(some);
      let length = 0;
      for (const [row, text] of block.texts.entries()) {
        hash.add(text);
        length += text.length;
        shards.write(block, row);
        if (firstRows.length < firstRowsMax) firstRows.push(rowAt(block.values, row));
      }
      rows += block.count;
      onWritten(length);
    }
    const files = shards.finish();
    const { sha256: rowsSha256, bytes: rowsBytes } = hash.end();
    return { ...base, rows, rowsSha256, rowsBytes, files, firstRows, replaced: replaced.count, error: null };
  } catch (error) {
    shards.abandon();
    if (concernsAll(error)) throw error;
    const failure = { code: codeOf(error) ?? 'unknown', message: messageOf(error) };
    return { ...base, rows: 0, rowsSha256: sha256(''), rowsBytes: 0, files: [], firstRows: [], replaced: 0, error: failure };
  }
}

/** The folder that a config's files go to, unless it is taken. */
export const wantedFolder = (name: string): string => (name === 'default' ? 'data' : name);

/** CSV has no lists and no structs: they are JSON text there. */
const typeIn = (format: Format, type: ColumnType): ColumnType =>
  format === 'csv' && (type.kind === 'list' || type.kind === 'struct') ? { kind: 'json' } : type;

/** A disk that fails, a store that is away and a bug of ours concern every config; all else concerns the one whose rows it came with. */
const concernsAll = (error: unknown): boolean => isOfFiles(error) || storeIsAway.has(codeOf(error) ?? '') || isAssertionError(error);

const storeIsAway = new Set(['connection-lost', 'store-unreachable', 'too-many-connections', 'disk-full', 'database-error']);

const fileCalls = new Set(['open', 'write', 'fsync', 'close', 'rename', 'mkdir', 'rm']);

const isOfFiles = (error: unknown): boolean => error instanceof Error && 'syscall' in error && fileCalls.has(String(error.syscall));
