/** A field of a CSV record. */
export interface CsvField {
  readonly text: string;
  /** Whether it was quoted. An empty quoted field is an empty text. */
  readonly isQuoted: boolean;
}

/** The fields of a record, or the position of an error (in characters, from 0) and what was expected there. */
export type CsvFields = { readonly fields: readonly CsvField[] } | { readonly at: number; readonly expected: string };

/**
 * Splits a record into fields according to RFC 4180. A quote inside an unquoted field is part of its text. Blanks before an opening quote and a carriage return
 * outside of quotes are errors, because writers differ on their meaning.
 */
export function splitCsvFields(record: string, delimiter: string, hasQuotes: boolean): CsvFields {
  if (!hasQuotes) {
    const at = record.indexOf('\r');
    if (at >= 0) return { at, expected: noCarriageReturn };
    return { fields: record.split(delimiter).map((text) => ({ text, isQuoted: false })) };
  }
  const fields: CsvField[] = [];
  for (let at = 0; ; at++) {
    if (record[at] !== '"') {
      const end = record.indexOf(delimiter, at);
      const text = record.slice(at, end < 0 ? undefined : end);
      const blanks = quoteAfterBlanks.exec(text)?.[0].length;
      if (blanks !== undefined) return { at: at + blanks, expected: 'no blanks before the quote that opens the field' };
      const carriageReturn = text.indexOf('\r');
      if (carriageReturn >= 0) return { at: at + carriageReturn, expected: noCarriageReturn };
      fields.push({ text, isQuoted: false });
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

const quoteAfterBlanks = /^[ \t]+"/;
const noCarriageReturn = String.raw`a carriage return only within quotes or before a line feed (convert other line ends: tr '\r' '\n' < FILE > NEW-FILE)`;
