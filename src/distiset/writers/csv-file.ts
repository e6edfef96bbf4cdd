import { stringify } from 'csv-stringify/sync';
import { escapeFormula } from './csv-formula.ts';
import type { HashedFile } from './hashed-file.ts';
import type { Replacements } from './parquet-columns.ts';
import type { RowFile, TypedColumn } from './row-file.ts';
import type { TextBlock } from './row-text.ts';

/** Options for the conversion of texts to fields. */
export interface CsvTexts {
  readonly replaced: Replacements;
  readonly csvEscapeFormulas: boolean;
}

/** Maximum number of buffered rows, and of UTF-16 code units of their JSON. */
const flushRows = 1_000;
const flushLength = 1024 * 1024;

/**
 * Begins a CSV file (RFC 4180) in UTF-8, with the column names in the first line. Null is an empty field and an empty text is `""`. Values without a type of
 * their own are JSON text. Lone surrogates become U+FFFD and are counted. Texts that a spreadsheet takes for formulas get an apostrophe if the option is set.
 */
export function csvFile(file: HashedFile, columns: readonly TypedColumn[], options: CsvTexts): RowFile {
  const cellsOf = csvCells(columns, options);
  let records: (readonly (string | null)[])[] = [csvHeader(columns, options)];
  let length = 0;
  const flush = () => {
    if (records.length === 0) return;
    file.write(Buffer.from(stringify(records as (string | null)[][], { record_delimiter: 'windows', quoted_match: /^$|[\r\n]/ }), 'utf8'));
    records = [];
    length = 0;
  };
  return {
    get bytes() {
      return file.bytes + length;
    },
    write: (block, row) => {
      records.push(cellsOf(block, row));
      length += block.texts[row]?.length ?? 0;
      if (records.length >= flushRows || length >= flushLength) flush();
    },
    close: () => {
      flush();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}

/** Returns the first record of a CSV file: the names of its columns. */
export const csvHeader = (columns: readonly TypedColumn[], options: CsvTexts): readonly string[] =>
  columns.map(({ name }) => fieldText(name, options));

/** Returns a function that makes the fields of a row. Null is an empty field without quotes. */
export function csvCells(
  columns: readonly TypedColumn[],
  options: CsvTexts,
): (block: TextBlock, row: number) => readonly (string | null)[] {
  // Readers skip blank lines, so a null in the only column of a row is written as "".
  const empty = columns.length === 1 ? '' : null;
  return ({ values, cells }, row) =>
    columns.map(({ type }, index) => {
      const value = values[index]?.[row];
      if (value === null || value === undefined) return empty;
      return type.kind === 'string' && typeof value === 'string' ? fieldText(value, options) : (cells[index]?.[row] ?? null);
    });
}

const fieldText = (text: string, { replaced, csvEscapeFormulas }: CsvTexts): string => {
  const whole = wellFormed(text, replaced);
  return csvEscapeFormulas ? escapeFormula(whole) : whole;
};

function wellFormed(text: string, replaced: Replacements): string {
  if (text.isWellFormed()) return text;
  replaced.count++;
  return text.toWellFormed();
}
