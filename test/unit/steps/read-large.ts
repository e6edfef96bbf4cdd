// Reads a file that is many times larger than the heap that this process has, from its start and from near its end.
import fs from 'node:fs';
import { z } from 'zod';
import type { Columns, SourceStep } from '../../../src/pipeline/index.ts';
import { csv, jsonl } from '../../../src/steps/index.ts';

const [format = '', file = '', total = ''] = process.argv.slice(2);
const rows = Number(total);
const text = 'a text of some length, with "quotes" and commas, '.repeat(8);
const descriptor = fs.openSync(file, 'w');
const head = format === 'csv' ? 'n,text\n' : '';
let part = head;
for (let n = 0; n < rows; n++) {
  part += format === 'csv' ? `${n},"${text.replaceAll('"', '""')}"\n` : `${JSON.stringify({ n, text })}\n`;
  if (part.length > 1_000_000 || n === rows - 1) {
    fs.writeSync(descriptor, part);
    part = '';
  }
}
fs.closeSync(descriptor);

const output = z.object({ n: z.int(), text: z.string() });
const source = (format === 'csv' ? csv : jsonl)(file, { output }) as unknown as SourceStep<Columns>;
const count = async (offset: number): Promise<number> => {
  let items = 0;
  const context = { offset, signal: new AbortController().signal } as Parameters<NonNullable<typeof source.read>>[0];
  for await (const item of (await source.read?.(context)) ?? []) if (!(item instanceof Error)) items++;
  return items;
};
const origin = await source.origin?.();
const counted = { told: origin?.['rows'], all: await count(0), last: await count(rows - 3) };
process.stdout.write(JSON.stringify({ ...counted, megabytes: fs.statSync(file).size / 1e6, peak: process.resourceUsage().maxRSS / 1e3 }));
