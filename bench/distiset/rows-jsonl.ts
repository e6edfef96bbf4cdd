import fs from 'node:fs';
import { isKept, neededFor, textOf } from '../engine/pipelines.ts';

/** Yields the rows of the trivial pipeline. */
export function* smallRows(kept: number): Generator<object> {
  const needed = neededFor(kept);
  for (let n = 0; n < needed; n++) if (isKept(n)) yield { n, text: textOf(n), length: textOf(n).length };
}

/** Writes rows as JSONL, for contestants that read files. Returns the number of rows and bytes. */
export function writeJsonl(file: string, content: Iterable<object>): { readonly rows: number; readonly bytes: number } {
  const descriptor = fs.openSync(file, 'wx');
  let lines = '';
  let rows = 0;
  let bytes = 0;
  for (const row of content) {
    rows++;
    lines += `${JSON.stringify(row)}\n`;
    if (lines.length < linesLength) continue;
    bytes += fs.writeSync(descriptor, lines);
    lines = '';
  }
  bytes += fs.writeSync(descriptor, lines);
  fs.closeSync(descriptor);
  return { rows, bytes };
}

/** Length of the text that is buffered before a write. */
const linesLength = 1024 * 1024;
