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

/** A config whose rows can be written. */
export interface WritableConfig {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly schema: JsonObject }[];
  blocks(): AsyncIterable<RowBlock>;
}

/** A config that was written, or the error that prevented it. */
export interface WrittenConfig {
  readonly name: string;
  /** The folder of its files in the directory. */
  readonly folder: string;
  readonly rows: number;
  /** SHA-256 over the rows as lines of canonical JSON, independent of the format. */
  readonly rowsSha256: string;
  /** Size of the rows as lines of canonical JSON, in bytes. */
  readonly rowsBytes: number;
  readonly files: readonly WrittenFile[];
  readonly columns: readonly (TypedColumn & { readonly typeName: string })[];
  /** The first rows, for the card. */
  readonly firstRows: readonly JsonObject[];
  /** Number of texts with lone surrogates, which readers of the files do not accept. They are written with U+FFFD. */
  readonly replaced: number;
  /** The error if it could not be written. It then has no rows and no files. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Options of `writeConfig`. */
export interface WriteConfigOptions {
  readonly format: Format;
  readonly compression: Compression;
  /** See `WriteOptions`. Default false. */
  readonly csvEscapeFormulas?: boolean | undefined;
  /** Size in bytes after which the next file begins. Default 256 MiB. */
  readonly shardBytesMax?: number | undefined;
  /** Called after each block of rows with its length: UTF-16 code units of the rows as canonical JSON. */
  readonly onWritten?: ((length: number) => void) | undefined;
}

/** Default size in bytes after which the next file begins. */
export const shardBytesDefault = 256 * 1024 * 1024;
const firstRowsMax = 3;

/** Writes a config's rows as a stream. Errors of its rows are returned in the result; errors of the disk or the store are thrown. */
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
    for await (const rawBlock of config.blocks()) {
      const block = textsOf(rawBlock);
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

/** Returns the folder for a config's files, unless the name is in use. */
export const wantedFolder = (name: string): string => (name === 'default' ? 'data' : name);

/** Returns the type of a column in a format. CSV has no lists and structs, so they become JSON text. */
const typeIn = (format: Format, type: ColumnType): ColumnType =>
  format === 'csv' && (type.kind === 'list' || type.kind === 'struct') ? { kind: 'json' } : type;

/** Returns whether an error concerns every config: a failing disk, an unreachable store or a bug. Other errors concern only the config whose rows they came from. */
const concernsAll = (error: unknown): boolean => isOfFiles(error) || storeIsAway.has(codeOf(error) ?? '') || isAssertionError(error);

const storeIsAway = new Set(['connection-lost', 'store-unreachable', 'too-many-connections', 'disk-full', 'database-error']);

const fileCalls = new Set(['open', 'write', 'fsync', 'close', 'rename', 'mkdir', 'rm']);

const isOfFiles = (error: unknown): boolean => error instanceof Error && 'syscall' in error && fileCalls.has(String(error.syscall));
