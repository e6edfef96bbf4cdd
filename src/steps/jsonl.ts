import type { Columns, SourceStep } from '../pipeline/index.ts';
import { decoderOf } from './files/decode.ts';
import { fileSource, type FileFormat, type FileOptions } from './files/file-source.ts';
import { fitting } from './files/fitting.ts';
import { jsonProblem } from './files/json-problem.ts';
import { RowError } from './files/row-error.ts';
import { textRecords, countRecords } from './files/text-records.ts';

/** Options of a JSONL file. */
export type JsonlOptions<S extends Columns> = FileOptions<S>;

/**
 * A file of one JSON object a line, in UTF-8: `source('rows', jsonl('rows.jsonl', { output: z.object({ text: z.string() }) }))`. The path is relative to
 * the working directory, or a URL: `new URL('./rows.jsonl', import.meta.url)`. Blank lines are passed over; a line that is no JSON object costs that row
 * (`invalid-line`), and so does a value that does not fit its column (`invalid-value`). A column that may be null may be missing.
 */
export function jsonl<S extends Columns>(path: string | URL, options: JsonlOptions<S>): SourceStep<S> {
  return fileSource(path, options, jsonlFormat(options.output));
}

const jsonlFormat = (output: Columns): FileFormat => ({
  id: 'jsonl',
  settings: {},
  counter: (name) => countRecords({ name }, (records) => records),
  async *rows(open, context) {
    const { name } = open.file;
    const decode = decoderOf(name, 'utf-8');
    const fit = fitting(output);
    for await (const record of textRecords(open, { name }, context)) {
      const where = () => `${name}:${record.line}`;
      const row = objectOf(decode(record), where);
      yield row instanceof Error ? row : fit(row, where);
    }
  },
});

/** A line's object. */
export function objectOf(text: string, where: () => string): Readonly<Record<string, unknown>> | RowError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { at, expected } = jsonProblem(text);
    const got = at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : 'the end of the line';
    return new RowError('invalid-line', `${where()}, column ${at + 1}: expected ${expected}, got ${got}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  const what = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return new RowError('invalid-line', `${where()}: expected an object, one a line, got ${what}.`);
}
