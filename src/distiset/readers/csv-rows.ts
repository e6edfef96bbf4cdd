import fs from 'node:fs';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { UnexpectedFile } from './unexpected-file.ts';
import { comparable } from './comparable.ts';

/** Maximum size of a record: more than any row can have. */
const recordBytesMax = 64 * 1024 * 1024;

/** Reads the records of a CSV file as comparable texts, the header first. An empty field is null, `""` is an empty text. */
export async function* csvRecords(path: string): AsyncGenerator<string> {
  const parser = parse({
    record_delimiter: '\r\n',
    max_record_size: recordBytesMax,
    cast: (text: string, { quoting }: { readonly quoting: boolean }) => fieldOf(text, quoting),
  });
  const input = Readable.from(texts(path));
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const record of parser as AsyncIterable<readonly (string | null)[]>) yield comparable(record);
  } catch (error) {
    throw error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_')
      ? new UnexpectedFile(`is not a CSV file: ${error.message}`)
      : error;
  } finally {
    input.destroy();
  }
}

/** Reads the text of a file, in pieces. Throws for bytes that are not UTF-8, because a replacement character could also be in the log. */
async function* texts(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for await (const chunk of fs.createReadStream(path) as AsyncIterable<Buffer>) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

function fieldOf(text: string, quoting: boolean): string | null {
  if (quoting) return text;
  // Other readers take this as the end of a record and would find more rows than the log has.
  if (/[\r\n]/.test(text)) throw new UnexpectedFile('has a line break outside of quotes');
  return text === '' ? null : text;
}
