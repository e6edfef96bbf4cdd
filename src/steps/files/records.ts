import { Fault } from '../../kit/fault.ts';
import { formatBytes } from '../../kit/bytes.ts';

/** A line of a text file without its line end, or several lines if a quoted field contains line ends. */
export interface TextRecord {
  readonly bytes: Buffer;
  /** The line in which it begins, from 1. */
  readonly line: number;
  /** The byte of the file at which it begins. */
  readonly offset: number;
  /** Whether it contains a quote. */
  readonly hasQuotes: boolean;
}

export interface RecordsOptions {
  /** The name of the file for messages. */
  readonly name: string;
  /** The byte between fields, if quotes have a meaning. Without it every line end ends a record. */
  readonly delimiter?: number | undefined;
}

/** Maximum size of a record. It bounds memory for a file without line ends or with a quote that is never closed. */
const recordBytesMax = 64 * 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/** State of the scanner after the last byte: */
type ScannerState =
  /** before the first byte of a field, */
  | 'field'
  /** in a field without quotes, */
  | 'plain'
  /** between quotes, */
  | 'quoted'
  /** after a quote that ends the field, unless another quote follows. */
  | 'closed';

/**
 * Splits the bytes of a text file into records as they arrive, without decoding them. It drops a byte order mark and empty records. In a file without delimiter
 * a record of blanks is empty, too. Throws `Fault('source-unreadable')` for a record that never ends.
 */
export class Records {
  readonly #name: string;
  readonly #delimiter: number | undefined;
  /** The bytes of a record that has not ended. */
  #rest: Buffer = Buffer.alloc(0);
  /** The number of scanned bytes among them, and the state of the scanner. */
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

  /** Adds a chunk and yields the records that have ended. */
  *push(chunk: Buffer): Generator<TextRecord> {
    let bytes = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#isAtStart) {
      // The mark has three bytes, and a chunk is shorter only if the whole file is.
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

  /** Yields the last record if the file does not end with a line end. */
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

  /** Returns the end of the record at the start of `bytes`, or -1. Continues where the last call stopped. */
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
      // Scans again from the record's start, because a quote opens a field only at the field's start.
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
        : 'perhaps the file has no line ends, or is not text';
    throw new Fault(
      'source-unreadable',
      `${this.#name}:${this.#line}: the record that begins here is longer than ${formatBytes(recordBytesMax)}; ${why}.`,
    );
  }

  #refuseUtf16(bytes: Buffer): void {
    const mark = bytes.subarray(0, 2).toString('hex');
    if (mark !== 'fffe' && mark !== 'feff') return;
    throw new Fault(
      'source-unreadable',
      `${this.#name} is in UTF-16, according to its byte order mark. Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW-FILE.`,
    );
  }
}

/** Returns whether a record has only spaces and tabs. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== carriageReturn) return false;
  return true;
}
