import { stringify } from 'csv-stringify/sync';
import { HashedFile } from './hashed-file.ts';
import type { Replacements } from './parquet-columns.ts';
import type { RowFile, TypedColumn } from './row-file.ts';

/** Rows, and UTF-16 code units of their JSON, that are gathered before they are written. */
const flushRows = 1_000;
const flushLength = 1024 * 1024;

/**
 * A CSV file as RFC 4180 has it, in UTF-8, its columns named in the first line. Null is an empty field, an empty text is `""`; what has no type of its own is JSON
 * text. Lone surrogates become U+FFFD, and are counted.
 */
export function csvFile(path: string, columns: readonly TypedColumn[], replaced: Replacements): RowFile {
  const file = new HashedFile(path);
  // Readers pass over blank lines: the only column of a row shows its null as "".
  const empty = columns.length === 1 ? '' : null;
  let records: (readonly (string | null)[])[] = [columns.map(({ name }) => wellFormed(name, replaced))];
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
    write: ({ values, cells, texts }, row) => {
      records.push(
        columns.map(({ type }, index) => {
          const value = values[index]?.[row];
          if (value === null || value === undefined) return empty;
          return type.kind === 'string' && typeof value === 'string' ? wellFormed(value, replaced) : (cells[index]?.[row] ?? null);
        }),
      );
      length += texts[row]?.length ?? 0;
      if (records.length >= flushRows || length >= flushLength) flush();
    },
    close: () => {
      flush();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}

function wellFormed(text: string, replaced: Replacements): string {
  if (text.isWellFormed()) return text;
  replaced.count++;
  return text.toWellFormed();
}
