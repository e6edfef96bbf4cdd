/** A field of a CSV record. */
export interface CsvField {
  readonly text: string;
  /** Whether it was quoted. An empty quoted field is an empty text. */
  readonly isQuoted: boolean;
}

/** The fields of a record, or the position of an error (in characters, from 0) and what was expected there. */
export type CsvFields = { readonly fields: readonly CsvField[] } | { readonly at: number; readonly expected: string };

/** Splits a record into fields according to RFC 4180. A quote inside an unquoted field is part of its text. */
export function splitCsvFields(record: string, delimiter: string, hasQuotes: boolean): CsvFields {
  if (!hasQuotes) return { fields: record.split(delimiter).map((text) => ({ text, isQuoted: false })) };
  const fields: CsvField[] = [];
  for (let at = 0; ; at++) {
    if (record[at] !== '"') {
      const end = record.indexOf(delimiter, at);
      fields.push({ text: record.slice(at, end < 0 ? undefined : end), isQuoted: false });
      if (end < 0) return { fields };
      at = end;
      continue;
    }
    const start = at + 1;
    let hasDoubled = false;
    for (at = record.indexOf('"', start); record[at + 1] === '"'; at = record.indexOf('"', at + 2)) hasDoubled = true;
    const text = record.slice(start, at);
    fields.push({ text: hasDoubled ? text.replaceAll('""', '"') : text, isQuoted: true });
    at++;
    if (at === record.length) return { fields };
    if (record[at] !== delimiter)
      return { at, expected: 'the end of the field after its closing quote (double a quote that is part of the text)' };
  }
}
