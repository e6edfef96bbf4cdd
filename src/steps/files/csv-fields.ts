/** A field of a CSV record. */
export interface CsvField {
  readonly text: string;
  /** Whether it was between quotes: an empty text, where it is empty. */
  readonly isQuoted: boolean;
}

/** A record's fields, or where (in characters, from 0) it is none and why. */
export type CsvFields = { readonly fields: readonly CsvField[] } | { readonly at: number; readonly expected: string };

/** Cuts a record into fields as RFC 4180 has them. A quote within a field that does not begin with one is part of its text. */
export function csvFields(record: string, delimiter: string, hasQuotes: boolean): CsvFields {
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
      return { at, expected: 'the end of the field behind its closing quote (double a quote that is part of the text)' };
  }
}
