import { Fault } from '../../kit/fault.ts';
import { formatBytes } from '../../kit/bytes.ts';

/** A line of a text file, or several where a quoted field goes on over line ends; without its own line end. */
export interface TextRecord {
  readonly bytes: Buffer;
  /** The line it begins in, from 1. */
  readonly line: number;
  /** The byte of the file it begins at. */
  readonly offset: number;
  /** Whether there is a quote in it. */
  readonly hasQuotes: boolean;
}

export interface RecordsOptions {
  /** As messages name it. */
  readonly name: string;
  /** The byte between fields, where quotes have a meaning; without it every line end ends a record. */
  readonly delimiter?: number | undefined;
}

/** Bytes of one record: what is held in memory of a file that has no line ends, or a quote that is never closed. */
const recordBytesMax = 64 * 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/** Position of the last byte within its record: */
type ScannerState =
  /** before the first byte of a field, */
  | 'field'
  /** in a field without quotes, */
  | 'plain'
  /** between quotes, */
  | 'quoted'
  /** behind a quote that ends the field, unless another follows. */
  | 'closed';

/**
 * Cuts the bytes of a text file into records, as they come, without decoding them. A byte order mark is dropped, and so are records without
 * text: of a file without delimiter, blanks are none. Throws
 * `Fault('source-unreadable')` for a record that never ends.
 */
export class Records {
  readonly #name: string;
  readonly #delimiter: number | undefined;
  /** Bytes of a record that has not ended. */
  #rest: Buffer = Buffer.alloc(0);
  /** How many of them were looked at, and what was found. */
  #scanned = 0;
  #state: ScannerState = 'field';
  #hasQuotes = false;
  /** The line that `#rest` begins in, line ends in it so far, and the line of the last quote that opened a field. */
  #line = 1;
  #linesWithin = 0;
  #quoteLine = 0;
  #offset = 0;
  #isAtStart = true;

  constructor({ name, delimiter }: RecordsOptions) {
    this.#name = name;
    this.#delimiter = delimiter;
  }

  /** The records that end in what has come so far. */
  *push(chunk: Buffer): Generator<TextRecord> {
    let bytes = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#isAtStart) {
      // Three bytes tell whether there is a mark: a chunk is longer, unless the file is not.
      this.#isAtStart = false;
      this.#refuseUtf16(bytes);
      const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
      if (isMarked) bytes = this.#drop(bytes, 3);
    }
    for (let end = this.#endIn(bytes); end >= 0; end = this.#endIn(bytes)) {
      const record = this.#record(bytes.subarray(0, end));
      this.#line += this.#linesWithin + 1;
      bytes = this.#drop(bytes, end + 1);
      this.#begin();
      if (record) yield record;
    }
    if (bytes.byteLength > recordBytesMax) this.#refuseLength();
    this.#rest = bytes;
  }

  /** The last record, where the file does not end with a line end. */
  *end(): Generator<TextRecord> {
    if (this.#state === 'quoted') {
      throw new Fault(
        'source-unreadable',
        `${this.#name}:${this.#quoteLine}: a quote is opened in this line and never closed. Close it, or double it if it is part of the text.`,
      );
    }
    const record = this.#record(this.#rest);
    this.#rest = Buffer.alloc(0);
    if (record) yield record;
  }

  /** Where the record at the start of `bytes` ends, or -1. Goes on where it stopped the last time. */
  #endIn(bytes: Buffer): number {
    if (this.#delimiter === undefined) {
      const end = bytes.indexOf(lineFeed, this.#scanned);
      this.#scanned = bytes.byteLength;
      return end;
    }
    if (!this.#hasQuotes) {
      const end = bytes.indexOf(lineFeed, this.#scanned);
      const until = end < 0 ? bytes.byteLength : end;
      const firstQuote = bytes.subarray(this.#scanned, until).indexOf(quote);
      if (firstQuote < 0) {
        this.#scanned = until;
        return end;
      }
      // From its start on, for a quote opens a field only at the field's start.
      this.#hasQuotes = true;
      this.#scanned = 0;
    }
    return this.#endOfQuoted(bytes, this.#delimiter);
  }

  #endOfQuoted(bytes: Buffer, delimiter: number): number {
    let state = this.#state;
    for (let at = this.#scanned; at < bytes.byteLength; at++) {
      const byte = bytes[at];
      if (state === 'quoted') {
        if (byte === quote) state = 'closed';
        else if (byte === lineFeed) this.#linesWithin++;
      } else if (byte === lineFeed) {
        this.#state = state;
        return at;
      } else if (byte === delimiter) state = 'field';
      else if (byte === quote && state !== 'plain') {
        if (state === 'field') this.#quoteLine = this.#line + this.#linesWithin;
        state = 'quoted';
      } else if (byte !== carriageReturn || state === 'field') state = 'plain';
    }
    this.#state = state;
    this.#scanned = bytes.byteLength;
    return -1;
  }

  #record(bytes: Buffer): TextRecord | null {
    const end = bytes.at(-1) === carriageReturn ? bytes.byteLength - 1 : bytes.byteLength;
    if (end === 0 || (this.#delimiter === undefined && isBlank(bytes))) return null;
    if (bytes.byteLength > recordBytesMax) this.#refuseLength();
    return { bytes: bytes.subarray(0, end), line: this.#line, offset: this.#offset, hasQuotes: this.#hasQuotes };
  }

  #drop(bytes: Buffer, count: number): Buffer {
    this.#offset += count;
    return bytes.subarray(count);
  }

  #begin(): void {
    this.#scanned = 0;
    this.#state = 'field';
    this.#hasQuotes = false;
    this.#linesWithin = 0;
  }

  #refuseLength(): never {
    const why =
      this.#state === 'quoted'
        ? `the quote that is opened in line ${this.#quoteLine} is perhaps never closed`
        : 'perhaps the file has no line ends, or is no text';
    throw new Fault(
      'source-unreadable',
      `${this.#name}:${this.#line}: what begins here is longer than ${formatBytes(recordBytesMax)}; ${why}.`,
    );
  }

  #refuseUtf16(bytes: Buffer): void {
    const mark = bytes.subarray(0, 2).toString('hex');
    if (mark !== 'fffe' && mark !== 'feff') return;
    throw new Fault(
      'source-unreadable',
      `${this.#name} is in UTF-16, as the byte order mark at its start says. Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW-FILE.`,
    );
  }
}

/** Whether there is nothing but spaces and tabs. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== carriageReturn) return false;
  return true;
}
