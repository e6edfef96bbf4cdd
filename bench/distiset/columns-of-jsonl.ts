import fs from 'node:fs';
import type { Json, JsonObject } from '../../src/kit/json.ts';

/** Returns the rows of a JSONL file by column, all in memory. */
export function columnsOfJsonl(file: string): {
  readonly count: number;
  readonly columns: readonly { readonly name: string; readonly values: readonly Json[] }[];
} {
  const rows = fs
    .readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
  const names = Object.keys(rows[0] ?? {});
  return { count: rows.length, columns: names.map((name) => ({ name, values: rows.map((row) => row[name] as Json) })) };
}
