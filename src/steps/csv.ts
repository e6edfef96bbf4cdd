import { Fault } from '../kit/fault.ts';
import type { Columns, SourceStep } from '../pipeline/index.ts';
import { columnKinds, takesText, type ColumnKinds } from './files/column-kinds.ts';
import { splitCsvFields, type CsvField } from './files/csv-fields.ts';
import { decoderOf, type Encoding } from './files/decode.ts';
import { fileSource, type FileFormat, type FileOptions } from './files/file-source.ts';
import { createRowFit } from './files/fitting.ts';
import { refuseMissing } from './files/missing-columns.ts';
import type { OpenFile } from './files/open-file.ts';
import type { RecordsOptions, TextRecord } from './files/records.ts';
import { RowError } from './files/row-error.ts';
import { countRecords, textRecords } from './files/text-records.ts';
import { textValue } from './files/text-value.ts';

/** The dialect of a CSV file. */
export interface CsvDialect {
  /** The character between fields, one ASCII character such as `,` (default), `;` or `\t`. */
  readonly delimiter?: string | undefined;
  /** The encoding of the file. Default `utf-8`. `windows-1252` also reads Latin-1. */
  readonly encoding?: Encoding | undefined;
}

/** Options of a CSV file. */
export interface CsvOptions<S extends Columns> extends FileOptions<S>, CsvDialect {}

/**
 * Reads a CSV file (RFC 4180) whose first line names its columns: `source('rows', csv('rows.csv', { output: z.object({ text: z.string(), year: z.int() }) }))`.
 * The path is relative to the working directory, or a URL: `new URL('./rows.csv', import.meta.url)`. Texts are converted to the column's type: numbers, booleans,
 * lists and objects (as JSON). An empty field is null if the column may be null; `""` is an empty text. Blank lines are skipped. A line with too many or too few
 * fields is rejected (`invalid-line`), and so is a value that does not match its column (`invalid-value`). Undeclared columns are not read.
 */
export function csv<S extends Columns>(path: string | URL, { delimiter, encoding, ...options }: CsvOptions<S>): SourceStep<S> {
  return fileSource(path, options, csvFormat(options.output, resolveDialect({ delimiter, encoding })));
}

/** A dialect with defaults filled in. */
export interface Dialect {
  readonly delimiter: string;
  readonly encoding: Encoding;
}

/** Checks a dialect and fills in its defaults. Throws `Fault('invalid-options')`. */
export function resolveDialect({ delimiter = ',', encoding = 'utf-8' }: CsvDialect): Dialect {
  if (typeof delimiter !== 'string' || !/^[\t\u0020-\u007e]$/.test(delimiter) || delimiter === '"')
    throw new Fault(
      'invalid-options',
      `A CSV file's delimiter is one character of ASCII and no quote; this is ${JSON.stringify(delimiter)}.`,
    );
  if (encoding !== 'utf-8' && encoding !== 'windows-1252')
    throw new Fault(
      'invalid-options',
      `A CSV file's encoding is utf-8 or windows-1252; this is ${JSON.stringify(encoding)}. Convert it with iconv.`,
    );
  return { delimiter, encoding };
}

/** Returns the options that split a CSV file into records. */
export const recordsOptions = (name: string, { delimiter }: Dialect): RecordsOptions => ({ name, delimiter: delimiter.charCodeAt(0) });

const csvFormat = (output: Columns, dialect: Dialect): FileFormat => ({
  id: 'csv',
  settings: { ...dialect },
  counter: (name) => countRecords(recordsOptions(name, dialect), (records) => Math.max(0, records - 1)),
  async *rows(open, { offset, signal }) {
    const { name } = open.file;
    const decode = decoderOf(name, dialect.encoding);
    const fit = createRowFit(output);
    const header = await csvHeader(open, dialect, signal);
    const columns = findColumns(name, header, output, dialect);
    // The header is a record too.
    for await (const record of textRecords(open, recordsOptions(name, dialect), { offset: offset + 1, signal })) {
      const where = () => `${name}:${record.line}`;
      const fields = parseFields(record, decode(record), header, dialect, where);
      const row = fields instanceof Error ? fields : rowOf(fields, columns, where);
      yield row instanceof Error ? row : fit(row, where);
    }
  },
});

/** Reads the names in a file's first line. Throws `Fault('source-unreadable')`. */
export async function csvHeader(open: OpenFile, dialect: Dialect, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { name } = open.file;
  const decode = decoderOf(name, dialect.encoding);
  for await (const record of textRecords(open, recordsOptions(name, dialect), { offset: 0, signal })) {
    const text = decode(record);
    refuseSeparatorLine(text, `${name}:${record.line}`);
    const result = splitCsvFields(text, dialect.delimiter, record.hasQuotes);
    if ('fields' in result) return result.fields.map(({ text }) => text);
    throw new Fault(
      'source-unreadable',
      `${name}:${record.line}, character ${result.at + 1}: expected ${result.expected} in the line that names the columns.`,
    );
  }
  throw new Fault('source-unreadable', `${name} is empty. Its first line must name its columns.`);
}

/** Refuses the line with which Excel is given a delimiter. Readers that take it for the names of columns lose the names. */
function refuseSeparatorLine(text: string, where: string): void {
  const [, delimiter] = /^"?sep=(.?)"?$/i.exec(text) ?? [];
  if (delimiter === undefined) return;
  const set = delimiter === '' ? '' : ` and set delimiter: ${JSON.stringify(delimiter)}`;
  throw new Fault(
    'source-unreadable',
    `${where}: ${JSON.stringify(text)} is a setting for spreadsheets, and not a line that names the columns. Remove the line${set}.`,
  );
}

/** Splits a line into as many fields as the header has, or returns the error. */
export function parseFields(
  record: TextRecord,
  text: string,
  header: readonly string[],
  dialect: Dialect,
  where: () => string,
): readonly CsvField[] | RowError {
  const result = splitCsvFields(text, dialect.delimiter, record.hasQuotes);
  if (!('fields' in result)) return new RowError('invalid-line', `${where()}, character ${result.at + 1}: expected ${result.expected}.`);
  const { length } = result.fields;
  if (length === header.length) return result.fields;
  const fields = length === 1 ? '1 field' : `${length} fields`;
  return new RowError(
    'invalid-line',
    `${where()}: ${fields}, and the header has ${header.length}${length > header.length ? ': put quotes around a text with a delimiter in it' : ''}.`,
  );
}

/** Returns a hint for a file whose first line does not name the columns, or an empty text. */
function describeHint(header: readonly string[], delimiter: string): string {
  const other = header.length === 1 ? [';', '\t', ',', '|'].find((each) => each !== delimiter && header[0]?.includes(each)) : undefined;
  return other === undefined ? '' : ` Is the delimiter ${JSON.stringify(other)}? Then set delimiter: ${JSON.stringify(other)}.`;
}

interface CsvColumn extends ColumnKinds {
  readonly name: string;
  readonly index: number;
}

/** Finds the declared columns in a header. Refuses a header that lacks one. */
function findColumns(name: string, header: readonly string[], output: Columns, { delimiter }: Dialect): readonly CsvColumn[] {
  refuseMissing(name, header, output, describeHint(header, delimiter));
  return Object.entries(output.shape)
    .filter(([column]) => header.includes(column))
    .map(([column, type]) => ({ name: column, index: header.indexOf(column), ...columnKinds(type) }));
}

function rowOf(
  fields: readonly CsvField[],
  columns: readonly CsvColumn[],
  where: () => string,
): Readonly<Record<string, unknown>> | RowError {
  const row: Record<string, unknown> = {};
  for (const column of columns) {
    const { text, isQuoted } = fields[column.index] as CsvField;
    if (text === '' && column.absent !== 'refused' && !(isQuoted && takesText(column.kinds))) {
      if (column.absent === 'null') row[column.name] = null;
      continue;
    }
    const read = textValue(text, column.kinds);
    if (!read.ok)
      return new RowError('invalid-value', `${where()}, column ${column.name}: expected ${read.expected}, got ${preview(text)}.`);
    row[column.name] = read.value;
  }
  return row;
}

const shownMax = 80;

const preview = (text: string): string =>
  text === '' ? 'nothing' : JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text);
