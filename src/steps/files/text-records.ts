import type { RowCounter } from './file-facts.ts';
import type { OpenFile } from './open-file.ts';
import { Records, type RecordsOptions, type TextRecord } from './records.ts';

/** Reads the records of a text file from number `offset` on. Earlier records are skipped without decoding. */
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

/** Creates a counter of records. `rowsOf` converts the number of records to the number of rows. */
export function countRecords(options: RecordsOptions, rowsOf: (records: number) => number): RowCounter {
  const records = new Records(options);
  let count = 0;
  const add = (added: Iterable<TextRecord>) => {
    for (const _ of added) count++;
  };
  return {
    push: (chunk) => add(records.push(chunk)),
    end: () => {
      add(records.end());
      return rowsOf(count);
    },
  };
}
