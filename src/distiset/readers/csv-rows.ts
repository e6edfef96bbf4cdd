import fs from 'node:fs';
import { parse } from 'csv-parse';
import { UnexpectedFile } from './unexpected-file.ts';
import { comparable } from './comparable.ts';

/** Bytes of a record: more than any row may have. */
const recordBytesMax = 64 * 1024 * 1024;

/** Reads the records of a CSV file as comparable texts, the header first. An empty field is null, `""` is an empty text. */
export async function* csvRecords(path: string): AsyncGenerator<string> {
  const parser = parse({
    record_delimiter: '\r\n',
    max_record_size: recordBytesMax,
    cast: (text: string, { quoting }: { readonly quoting: boolean }) => (text === '' && !quoting ? null : text),
  });
  const input = fs.createReadStream(path);
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const record of parser as AsyncIterable<readonly (string | null)[]>) yield comparable(record);
  } catch (error) {
    throw error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_')
      ? new UnexpectedFile(`is no CSV file: ${error.message}`)
      : error;
  } finally {
    input.destroy();
  }
}
