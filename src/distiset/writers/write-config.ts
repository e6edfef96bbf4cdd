import fs from 'node:fs';
import path from 'node:path';
import { codeOf, Fault, messageOf } from '#kit/fault';
import { canonicalJson, type JsonObject } from '#kit/json';
import { sha256Stream } from '#kit/sha256';
import { columnType, typeName } from './column-type.ts';
import { openRowFile, type Compression, type Format, type RowFile, type TypedColumn } from './row-file.ts';

/** Rows to be written: those of one config. */
export interface WritableConfig {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly schema: JsonObject }[];
  rows(): AsyncIterable<JsonObject>;
}

export interface WrittenFile {
  /** Relative to the directory. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface WrittenConfig {
  readonly name: string;
  readonly rows: number;
  /** SHA-256 over the rows as canonical JSON, a line each, whatever the format. */
  readonly rowsSha256: string;
  readonly files: readonly WrittenFile[];
  readonly columns: readonly (TypedColumn & { readonly typeName: string })[];
  /** The first rows, for the card. */
  readonly firstRows: readonly JsonObject[];
  /** Texts with lone surrogates, which Parquet cannot hold: written with U+FFFD. */
  readonly replaced: number;
  /** Why it could not be written: then it has no rows and no files. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Bytes of a file after which the next begins. */
const shardBytesMax = 256 * 1024 * 1024;
const firstRowsMax = 3;

/** Writes one config's rows, streamed. What goes wrong with its rows is told in the result; what goes wrong with the disk is thrown. */
export async function writeConfig(
  directory: string,
  config: WritableConfig,
  options: { readonly format: Format; readonly compression: Compression },
): Promise<WrittenConfig> {
  const folder = config.name === 'default' ? 'data' : config.name;
  fs.mkdirSync(path.join(directory, folder));
  const columns = config.columns.map(({ name, schema }) => ({ name, type: columnType(schema) }));
  const replaced = { count: 0 };
  const digest = sha256Stream();
  const shards: { readonly rows: number; readonly bytes: number; readonly sha256: string; readonly path: string }[] = [];
  const firstRows: JsonObject[] = [];
  let rows = 0;
  let file: RowFile | undefined;
  let inFile = 0;
  const shardPath = () => path.join(directory, folder, `shard-${shards.length}`);
  const closeShard = () => {
    file ??= openRowFile(shardPath(), columns, { ...options, replaced });
    const at = shardPath();
    shards.push({ ...file.close(), rows: inFile, path: at });
    file = undefined;
    inFile = 0;
  };

  const described = columns.map((column) => ({ ...column, typeName: typeName(column.type) }));
  try {
    for await (const row of config.rows()) {
      const line = canonicalJson(row);
      digest.update(line).update('\n');
      file ??= openRowFile(shardPath(), columns, { ...options, replaced });
      file.write(row, line.length);
      rows++;
      inFile++;
      if (firstRows.length < firstRowsMax) firstRows.push(row);
      if (file.bytes >= shardBytesMax) closeShard();
    }
    if (inFile > 0 || shards.length === 0) closeShard();
  } catch (error) {
    file?.abandon();
    // Faults of the store concern this config; everything else concerns all of them.
    if (!(error instanceof Fault) || isStoreAway(error)) throw error;
    fs.rmSync(path.join(directory, folder), { recursive: true });
    const failure = { code: codeOf(error) ?? 'unknown', message: messageOf(error) };
    return {
      name: config.name,
      rows: 0,
      rowsSha256: sha256Stream().digest('hex'),
      files: [],
      columns: described,
      firstRows: [],
      replaced: 0,
      error: failure,
    };
  }
  const files = shards.map(({ path: from, ...shard }, index) => {
    const name = `${folder}/train-${numbered(index)}-of-${numbered(shards.length)}.${options.format}`;
    fs.renameSync(from, path.join(directory, name));
    return { path: name, ...shard };
  });
  return {
    name: config.name,
    rows,
    rowsSha256: digest.digest('hex'),
    files,
    columns: described,
    firstRows,
    replaced: replaced.count,
    error: null,
  };
}

const isStoreAway = (error: Fault): boolean => error.code === 'connection-lost';

const numbered = (index: number): string => String(index).padStart(5, '0');
