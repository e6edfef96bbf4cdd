import type { RowCounter } from './file-facts.ts';
import type { OpenFile } from './open-file.ts';
import { Records, type RecordsOptions, type TextRecord } from './records.ts';

/** The records of a text file from the one numbered `offset` on: those before it are cut off, and not decoded. */
export async function* textRecords(
  open: OpenFile,
  options: RecordsOptions,
  { offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<TextRecord> {
  const records = new Records(options);
  let skipped = 0;
  for await (const chunk of open.chunks(0, signal)) {
    for (const record of records.push(chunk)) {
      if (skipped === offset) yield record;
      else skipped++;
    }
  }
  for (const record of records.end()) if (skipped === offset) yield record;
}

/** Counts records; `rowsOf` says how many of them are rows. */
export function countRecords(options: RecordsOptions, rowsOf: (records: number) => number): RowCounter {
  const records = new Records(options);
  let count = 0;
  const add = (some: Iterable<TextRecord>) => {
    for (const _ of some) count++;
  };
  return {
    push: (chunk) => add(records.push(chunk)),
    end: () => {
      add(records.end());
      return rowsOf(count);
    },
  };
}
