import fs from 'node:fs';
import { canonicalJson, type JsonObject } from '../../kit/json.ts';
import type { RowsRead } from './rows-read.ts';
import { UnexpectedFile } from './unexpected-file.ts';

/** Bytes of a line: more than any row may have. */
const lineBytesMax = 64 * 1024 * 1024;

/** Bytes that are no UTF-8 end the comparison: the character that stands for them may be in the log. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the rows of a JSONL file as canonical JSON. Throws `UnexpectedFile` for a line that is no row, or that distilog would write otherwise. */
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
    const row = parsed(line);
    const own = columns.filter((name) => Object.hasOwn(row, name));
    // Of a key that stands there twice, readers differ in which they take: so a line has to be what is written of its row.
    if (`{${own.map((name) => `${JSON.stringify(name)}:${canonicalJson(row[name])}`).join(',')}}` !== line)
      throw new UnexpectedFile(`has a line that distilog does not write: ${line.slice(0, shownMax)}`);
    return canonicalJson(row);
  };
}

function parsed(line: string): JsonObject {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === 'object' && row !== null) return row as JsonObject;
  } catch {
    // The same as a line that is JSON and no row.
  }
  throw new UnexpectedFile(`has a line that is no row: ${line.slice(0, shownMax)}`);
}

const shownMax = 80;
