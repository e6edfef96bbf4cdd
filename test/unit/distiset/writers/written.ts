import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { z } from 'zod';
import type { Json, JsonObject } from '../../../../src/kit/json.ts';
import type { DistisetConfig, Distiset } from '../../../../src/distiset/create-distiset.ts';
import { rowsIn, type RowBlock } from '../../../../src/distiset/row-blocks.ts';
import type { TypedColumn } from '../../../../src/distiset/writers/row-file.ts';
import type { WritableConfig } from '../../../../src/distiset/writers/write-config.ts';
import { asJson } from './duckdb.ts';

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  if (folders.length === 0) process.once('exit', () => folders.forEach((each) => fs.rmSync(each, { recursive: true, force: true })));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-writers-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

/** The columns of a zod object, as a definition has them. */
export const columnsOf = (shape: Record<string, z.ZodType>): DistisetConfig['columns'] =>
  Object.entries(shape).map(([name, schema]) => {
    const { $schema: _draft, ...json } = z.toJSONSchema(schema, { io: 'output', cycles: 'ref' });
    return { name, schema: json as JsonObject };
  });

/** A config of rows that are at hand. */
export const configOf = (name: string, shape: Record<string, z.ZodType>, rows: Iterable<JsonObject>): WritableConfig => ({
  name,
  columns: columnsOf(shape),
  blocks: () => blocksOf(rows, Object.keys(shape)),
});

/** Rows in a block: so few that a test's rows are several, the last not full. */
const blockRows = 3;

/** Rows that are at hand, or come, by column. */
export async function* blocksOf(
  rows: Iterable<JsonObject> | AsyncIterable<JsonObject>,
  columns: readonly string[],
  rowsMax = blockRows,
): AsyncGenerator<RowBlock> {
  let some: JsonObject[] = [];
  const block = () => ({ count: some.length, values: columns.map((name) => some.map((row) => row[name] as Json)) });
  for await (const row of rows) {
    some.push(row);
    if (some.length < rowsMax) continue;
    yield block();
    some = [];
  }
  if (some.length > 0) yield block();
}

/** A distiset of such configs; nothing of it but the configs matters. */
export const distisetOf = (configs: readonly WritableConfig[]): Distiset => ({
  runId: 'tried-234567',
  pipeline: 'tried',
  asOf: { position: 12, recordedAt: '2026-01-01T00:00:00.000001Z', hash: 'ab'.repeat(32) },
  startedAt: '2026-01-01T00:00:00.000000Z',
  status: 'running',
  seed: 7,
  params: {},
  program: { distilog: '0.0.0', node: '24.0.0' },
  signature: 'cd'.repeat(32),
  definitions: [],
  include: 'committed',
  steps: null,
  leftOut: [],
  configs: configs.map((config) => ({
    ...config,
    rows: () =>
      rowsIn(
        config.blocks(),
        config.columns.map(({ name }) => name),
      ),
    step: config.name,
    state: 'running',
    batches: { succeeded: 1, failed: 0, running: 0 },
    sourceShare: null,
    rowsCommitted: 0,
    losses: [],
  })),
});

/** The rows of Parquet files as hyparquet reads them, as JSON again. */
export async function readWithHyparquet(files: readonly string[], columns: readonly TypedColumn[]): Promise<readonly JsonObject[]> {
  const all: JsonObject[] = [];
  for (const file of files) {
    const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors })) as Record<string, unknown>[];
    for (const row of rows) all.push(Object.fromEntries(columns.map(({ name, type }) => [name, asJson(row[name], type)])));
  }
  return all;
}

export const parquetMetadata = async (file: string) => parquetMetadataAsync(await asyncBufferFromFile(file));

/** Every file below a folder, with its text. */
export const filesBelow = (folder: string): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => fs.statSync(path.join(folder, file)).isFile())
      .sort()
      .map((file) => [file, fs.readFileSync(path.join(folder, file))]),
  );
