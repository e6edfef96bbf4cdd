import { isUtf8 } from 'node:buffer';
import { Fault } from '../../kit/fault.ts';
import type { TextRecord } from './records.ts';

/** The encoding of a text file. `windows-1252` also reads Latin-1, which differs only in control characters. */
export type Encoding = 'utf-8' | 'windows-1252';

/** Creates a decoder of records. It throws `Fault('source-unreadable')` for bytes that are not UTF-8, because the whole file then has another encoding. */
export function decoderOf(name: string, encoding: Encoding): (record: TextRecord) => string {
  if (encoding === 'windows-1252') {
    const decoder = new TextDecoder('windows-1252');
    return ({ bytes }) => decoder.decode(bytes);
  }
  return (record) => {
    if (!isUtf8(record.bytes)) throw createUtf8Fault(name, record);
    return record.bytes.toString('utf8');
  };
}

function createUtf8Fault(name: string, { bytes, line, offset }: TextRecord): Fault {
  const at = findInvalidByte(bytes);
  const inLine = line + bytes.subarray(0, at).toString('latin1').split('\n').length - 1;
  const byte = (bytes[at] ?? 0).toString(16).padStart(2, '0');
  return new Fault(
    'source-unreadable',
    `${name}:${inLine}: byte ${offset + at} of the file (0x${byte}) is not UTF-8. If the file is in Latin-1 or Windows-1252, set encoding: 'windows-1252'. Otherwise convert it with iconv.`,
    { details: { line: inLine, byte: offset + at } },
  );
}

/** Returns the index of the first byte that does not begin a valid character. */
function findInvalidByte(bytes: Buffer): number {
  for (let at = 0; at < bytes.byteLength; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return bytes.byteLength;
}
