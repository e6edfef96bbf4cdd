import type { Columns, SourceStep } from '../pipeline/index.ts';
import { decoderOf } from './files/decode.ts';
import { fileSource, type FileFormat, type FileOptions } from './files/file-source.ts';
import { createRowFit } from './files/fitting.ts';
import { findJsonProblem } from './files/json-problem.ts';
import { mayHoldLongNumber, parseWithLongNumbers } from './files/long-number.ts';
import { RowError } from './files/row-error.ts';
import { createSettleNumbers } from './files/settle-numbers.ts';
import { textRecords, countRecords } from './files/text-records.ts';

/** Options of a JSONL file. */
export type JsonlOptions<S extends Columns> = FileOptions<S>;

/**
 * Reads a UTF-8 file with one JSON object per line: `source('rows', jsonl('rows.jsonl', { output: z.object({ text: z.string() }) }))`. The path is relative to
 * the working directory, or a URL: `new URL('./rows.jsonl', import.meta.url)`. Blank lines are skipped. A line that is not a JSON object is rejected
 * (`invalid-line`), and so is a value that does not match its column (`invalid-value`). A column that may be null may be missing. An integer that a number does
 * not hold exactly is read as its digits if the column is `z.string()`, and otherwise rejected.
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
    const fit = createRowFit(output);
    const settleNumbers = createSettleNumbers(output);
    for await (const record of textRecords(open, { name }, context)) {
      const where = () => `${name}:${record.line}`;
      const text = decode(record);
      const parsed = parseObject(text, where);
      const row = parsed instanceof Error || !mayHoldLongNumber(text) ? parsed : settleNumbers(parsed, where);
      yield row instanceof Error ? row : fit(row, where);
    }
  },
});

/** Parses the object of a line, or returns the error. Numbers that may have lost digits are `LongNumber`s. */
export function parseObject(text: string, where: () => string): Readonly<Record<string, unknown>> | RowError {
  let value: unknown;
  try {
    value = parseWithLongNumbers(text);
  } catch {
    const { at, expected } = findJsonProblem(text);
    const got = at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : 'the end of the line';
    return new RowError('invalid-line', `${where()}, column ${at + 1}: expected ${expected}, got ${got}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  const what = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return new RowError('invalid-line', `${where()}: expected one object per line, got ${what}.`);
}
