import path from 'node:path';
import { parquetSchema } from 'hyparquet';
import { Fault, hasCode } from '../kit/fault.ts';
import { resolveDialect, csvHeader, parseFields, recordsOptions, type Dialect } from './csv.ts';
import { decoderOf } from './files/decode.ts';
import { openFile, type OpenFile } from './files/open-file.ts';
import { LongNumber } from './files/long-number.ts';
import { jsonValue, NotJson } from './files/parquet-values.ts';
import { resolveSourceFile } from './files/source-file.ts';
import { textRecords } from './files/text-records.ts';
import { parseObject } from './jsonl.ts';
import { metadataOf, parquetRows } from './parquet.ts';

/** Rows of a file: its first ones, and as many that are spread over the rest. */
export interface FileSample {
  readonly format: 'csv' | 'jsonl' | 'parquet';
  /** The options for reading it, except its columns. */
  readonly dialect: Partial<Dialect>;
  /** The names of its columns, in order. */
  readonly columns: readonly string[];
  /** The rows. Values of CSV files are texts, or null for an empty field. In JSONL files, an integer beyond the safe ones is a bigint. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** The number of rows, readable or not, that are spread over the file after the first ones. Parquet files have none. */
  readonly spread?: number | undefined;
  /** The error messages of rows that could not be read. */
  readonly broken: readonly string[];
  /** Columns whose values are not JSON, with a description of the values. */
  readonly leftOut: Readonly<Record<string, string>>;
}

/**
 * Reads the first `rowsMax` rows of a JSONL, CSV or Parquet file, and about as many that are spread over the rest of a text file. Infinity reads all rows. Throws `Fault('source-unreadable')`, and `Fault('unknown-format')` for other files.
 */
export async function sampleFile(given: string, rowsMax: number): Promise<FileSample> {
  const open = await openFile(resolveSourceFile(given));
  try {
    const format = await detectFormat(open);
    if (format === 'parquet') return await sampleParquet(open, rowsMax);
    if (format === 'jsonl') return await sampleJsonl(open, rowsMax);
    const delimiter = path.extname(given).toLowerCase() === '.tsv' ? '\t' : undefined;
    try {
      return await sampleCsv(open, rowsMax, { delimiter });
    } catch (error) {
      if (!hasCode(error, 'source-unreadable') || !/is not UTF-8/.test((error as Error).message)) throw error;
      return await sampleCsv(open, rowsMax, { delimiter, encoding: 'windows-1252' });
    }
  } finally {
    await open.close();
  }
}

const formatsByEnding: Readonly<Record<string, FileSample['format']>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
  '.pq': 'parquet',
};

async function detectFormat(open: OpenFile): Promise<FileSample['format']> {
  const { name } = open.file;
  const ending = path.extname(name).toLowerCase();
  const known = formatsByEnding[ending];
  if (known) return known;
  const start = Buffer.from(await open.slice(0, Math.min(open.bytes, 64))).toString('latin1');
  if (start.startsWith('PAR1')) return 'parquet';
  if (/^(?:\u00ef\u00bb\u00bf)?\s*\{/.test(start) && ending !== '.json') return 'jsonl';
  const advice = ending === '.json' ? ' A JSON array becomes JSONL with: jq -c ".[]" FILE > FILE.jsonl' : '';
  throw new Fault(
    'unknown-format',
    `${name} is not a .jsonl, .csv, .tsv or .parquet file. Convert it, or rename it if it has another ending.${advice}`,
  );
}

async function sampleJsonl(open: OpenFile, rowsMax: number): Promise<FileSample> {
  const { name } = open.file;
  const decode = decoderOf(name, 'utf-8');
  const found = await readSome(open, { name }, 0, rowsMax, (record, where) => {
    const row = parseObject(decode(record), where);
    return row instanceof Error ? row : (withBigints(row) as Readonly<Record<string, unknown>>);
  });
  const columns = [...new Set(found.rows.flatMap((row) => Object.keys(row)))];
  return { format: 'jsonl', dialect: {}, columns, ...found, leftOut: {} };
}

/** Replaces each `LongNumber` in a value: integers by bigints, others by the nearest number. */
function withBigints(value: unknown): unknown {
  if (value instanceof LongNumber) return value.isInteger ? BigInt(value.text) : Number(value.text);
  if (Array.isArray(value)) return value.map(withBigints);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withBigints(member)]));
}

async function sampleCsv(
  open: OpenFile,
  rowsMax: number,
  options: Partial<{ delimiter: string | undefined; encoding: Dialect['encoding'] }>,
): Promise<FileSample> {
  const { name } = open.file;
  const guessed = { ...options, delimiter: options.delimiter ?? (await guessDelimiter(open, options.encoding)) };
  const dialect = resolveDialect(guessed);
  const header = await csvHeader(open, dialect, undefined);
  const decode = decoderOf(name, dialect.encoding);
  const found = await readSome(open, recordsOptions(name, dialect), 1, rowsMax, (record, where) => {
    const fields = parseFields(record, decode(record), header, dialect, where);
    if (fields instanceof Error) return fields;
    return Object.fromEntries(fields.map(({ text, isQuoted }, index) => [header[index] ?? '', text === '' && !isQuoted ? null : text]));
  });
  const dialectOptions = {
    ...(dialect.delimiter === ',' ? {} : { delimiter: dialect.delimiter }),
    ...(dialect.encoding === 'utf-8' ? {} : { encoding: dialect.encoding }),
  };
  return { format: 'csv', dialect: dialectOptions, columns: header, ...found, leftOut: {} };
}

/** The delimiters that are tried, and the rows that are read to compare them. */
const delimiters = [',', ';', '\t', '|'] as const;
const comparedRows = 100;

/** Returns the delimiter with which most rows have as many fields as the header, or else the one that splits the header into the most names. */
async function guessDelimiter(open: OpenFile, encoding: Dialect['encoding'] = 'utf-8'): Promise<string> {
  const candidates: { delimiter: string; names: number; matching: number }[] = [];
  for (const delimiter of delimiters) {
    const names = await unlessUnreadable(async () => (await csvHeader(open, { delimiter, encoding }, undefined)).length);
    if (names !== undefined && names > 1) candidates.push({ delimiter, names, matching: 1 });
  }
  if (candidates.length > 1) {
    for (const each of candidates)
      each.matching = (await unlessUnreadable(() => matchingRows(open, { delimiter: each.delimiter, encoding }))) ?? 0;
  }
  candidates.sort((a, b) => b.matching - a.matching || b.names - a.names);
  return candidates[0]?.delimiter ?? ',';
}

/** Returns the share of rows that have as many fields as the header. */
async function matchingRows(open: OpenFile, dialect: Dialect): Promise<number> {
  const { rows, broken } = await sampleCsv(open, comparedRows, dialect);
  return rows.length + broken.length === 0 ? 1 : rows.length / (rows.length + broken.length);
}

/** Returns undefined if a file cannot be read with a dialect that was only tried. */
async function unlessUnreadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, 'source-unreadable')) return undefined;
    throw error;
  }
}

type Found = Pick<FileSample, 'rows' | 'broken' | 'spread'>;

/** Reads the first rows, and rows at equal distances in the rest of the file. The file is scanned to its end, because only a scan knows where its records begin. */
async function readSome(
  open: OpenFile,
  options: Parameters<typeof textRecords>[1],
  offset: number,
  rowsMax: number,
  rowOf: (record: Parameters<ReturnType<typeof decoderOf>>[0], where: () => string) => Readonly<Record<string, unknown>> | Error,
): Promise<Found> {
  const rows: Readonly<Record<string, unknown>>[] = [];
  const broken: string[] = [];
  let nextOffset = 0;
  let distance: number | undefined;
  for await (const record of textRecords(open, options, { offset, signal: undefined })) {
    if (rows.length + broken.length >= rowsMax) {
      distance ??= (open.bytes - record.offset) / rowsMax;
      if (record.offset < nextOffset) continue;
      nextOffset = Math.max(nextOffset, record.offset) + distance;
    }
    const row = rowOf(record, () => `${open.file.name}:${record.line}`);
    if (row instanceof Error) broken.push(row.message);
    else rows.push(row);
  }
  return { rows, broken, spread: Math.max(0, rows.length + broken.length - rowsMax) };
}

async function sampleParquet(open: OpenFile, rowsMax: number): Promise<FileSample> {
  const metadata = await metadataOf(open);
  const nodes = parquetSchema(metadata).children;
  const columns = nodes.map(({ element }) => element.name);
  const rows: Record<string, unknown>[] = [];
  const leftOut: Record<string, string> = {};
  const longIntegers = new Set<string>();
  for await (const found of parquetRows(open, metadata, { columns, offset: 0, signal: undefined })) {
    const row: Record<string, unknown> = {};
    for (const node of nodes) {
      const { name } = node.element;
      const value = jsonValue(found[name], node, undefined);
      const raw = found[name];
      row[name] = value;
      if (!(value instanceof NotJson)) continue;
      if (typeof raw === 'bigint') {
        longIntegers.add(name);
        row[name] = String(raw);
      } else leftOut[name] = value.what;
    }
    rows.push(row);
    if (rows.length >= rowsMax) break;
  }
  // If a column has integers that a number cannot hold exactly, all its integers are read as texts.
  for (const row of rows) {
    for (const name of longIntegers) if (typeof row[name] === 'number') row[name] = String(row[name]);
  }
  return { format: 'parquet', dialect: {}, columns: columns.filter((name) => leftOut[name] === undefined), rows, broken: [], leftOut };
}
