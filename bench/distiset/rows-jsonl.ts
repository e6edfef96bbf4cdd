import fs from 'node:fs';
import { isKept, neededFor, textOf } from '../engine/pipelines.ts';

/** Writes the rows of our run as JSONL, for those who begin with files. */
export function writeJsonl(file: string, kept: number): void {
  const descriptor = fs.openSync(file, 'wx');
  const needed = neededFor(kept);
  for (let n = 0, lines = ''; n < needed; n++) {
    if (isKept(n)) lines += `${JSON.stringify({ n, text: textOf(n), length: textOf(n).length })}\n`;
    if (lines.length < linesLength && n < needed - 1) continue;
    fs.writeSync(descriptor, lines);
    lines = '';
  }
  fs.closeSync(descriptor);
}

/** Text that is gathered before it is written. */
const linesLength = 1024 * 1024;
