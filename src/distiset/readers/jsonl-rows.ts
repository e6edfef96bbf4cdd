import fs from 'node:fs';
import { canonicalJson, type JsonObject } from '../../kit/json.ts';
import type { RowsRead } from './rows-read.ts';
import { UnexpectedFile } from './unexpected-file.ts';

/** Maximum size of a line: more than any row can have. */
const lineBytesMax = 64 * 1024 * 1024;

/** Throws for bytes that are not UTF-8, because a replacement character could also be in the log. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the rows of a JSONL file as canonical JSON. Throws `UnexpectedFile` for a line that is not a row, or that distilog would write differently. */
export async function* jsonlRows(path: string, { columns }: RowsRead): AsyncGenerator<string> {
  const rowOf = rowReader(columns.map(({ name }) => name));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of fs.createReadStream(path) as AsyncIterable<Buffer>) {
    let bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      yield rowOf(utf8.decode(bytes.subarray(0, end)));
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.byteLength > lineBytesMax) throw new UnexpectedFile(`has a line of more than ${lineBytesMax} bytes`);
    rest = bytes;
  }
  if (rest.byteLength > 0) yield rowOf(utf8.decode(rest));
}

function rowReader(columns: readonly string[]): (line: string) => string {
  return (line) => {
    const row = parseRow(line);
    const ownColumns = columns.filter((name) => Object.hasOwn(row, name));
    // Readers differ on which of two equal keys they use, so the line must be exactly what distilog writes for its row.
    if (`{${ownColumns.map((name) => `${JSON.stringify(name)}:${canonicalJson(row[name])}`).join(',')}}` !== line)
      throw new UnexpectedFile(`has a line that distilog does not write: ${line.slice(0, shownMax)}`);
    return canonicalJson(row);
  };
}

function parseRow(line: string): JsonObject {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === 'object' && row !== null) return row as JsonObject;
  } catch {
    // Handled like a line that is JSON but not a row.
  }
  throw new UnexpectedFile(`has a line that is not a row: ${line.slice(0, shownMax)}`);
}

const shownMax = 80;
