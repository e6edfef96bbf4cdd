import { Buffer } from 'node:buffer';

/** A text, or the result of decoding it, as UTF-8, with the range of the original text that each byte comes from. */
export interface DecodedText {
  readonly bytes: Uint8Array;
  /** By byte, where its character or escape begins and ends in the original text. Null: each byte is one character of the text. */
  readonly from: Int32Array | null;
  readonly to: Int32Array | null;
}

/** Returns the range of the original text that bytes `start` to `end` come from. */
export const sourceRange = ({ from, to }: DecodedText, start: number, end: number): readonly [from: number, to: number] => [
  from ? (from[start] as number) : start,
  to ? (to[end - 1] as number) : end,
];

/** Returns a text as bytes. */
export function bytesOf(text: string): DecodedText {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length === text.length) return { bytes, from: null, to: null };
  const writer = new ByteWriter(bytes.length);
  for (let index = 0; index < text.length; ) {
    const point = text.codePointAt(index) as number;
    const next = index + (point > 0xffff ? 2 : 1);
    writer.point(isSurrogate(point) ? 0xfffd : point, index, next);
    index = next;
  }
  return writer.end();
}

/**
 * Decodes one level of every escape in a text: percent-encoding, backslashes of JSON and JavaScript, entities of HTML. Drops the zero bytes of UTF-16.
 * Returns null if there is nothing to decode. Takes one pass.
 */
export function decodeOnce(text: DecodedText): DecodedText | null {
  const { bytes } = text;
  if (!bytes.some((byte) => isMarker[byte])) return null;
  const writer = new ByteWriter(bytes.length);
  let isChanged = false;
  for (let index = 0; index < bytes.length; ) {
    const byte = bytes[index] as number;
    const escape = isMarker[byte] ? escapeAt(bytes, index, byte) : undefined;
    const next = index + (escape?.length ?? 1);
    const [from, to] = sourceRange(text, index, next);
    if (escape?.kind === 'point') writer.point(escape.value, from, to);
    else if (escape?.kind !== 'nothing') writer.byte(escape?.value ?? byte, from, to);
    isChanged ||= escape !== undefined;
    index = next;
  }
  return isChanged ? writer.end() : null;
}

/** Replaces each byte of a text by its entry in `map`, and drops the bytes whose entry is -1. */
export function mapBytes(text: DecodedText, map: Int16Array): DecodedText {
  const writer = new ByteWriter(text.bytes.length);
  for (let index = 0; index < text.bytes.length; index++) {
    const byte = map[text.bytes[index] as number] as number;
    if (byte >= 0) writer.byte(byte, ...sourceRange(text, index, index + 1));
  }
  return writer.end();
}

const isSurrogate = (point: number): boolean => point >= 0xd800 && point <= 0xdfff;

/** Collects bytes and their ranges. Decoding never produces more bytes than it reads. */
class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  #length = 0;

  constructor(lengthMax: number) {
    this.#bytes = new Uint8Array(lengthMax);
    this.#from = new Int32Array(lengthMax);
    this.#to = new Int32Array(lengthMax);
  }

  byte(byte: number, from: number, to: number): void {
    this.#bytes[this.#length] = byte;
    this.#from[this.#length] = from;
    this.#to[this.#length++] = to;
  }

  point(point: number, from: number, to: number): void {
    if (point < 0x80) return this.byte(point, from, to);
    if (point < 0x800) this.byte(0xc0 | (point >> 6), from, to);
    else {
      if (point < 0x10000) this.byte(0xe0 | (point >> 12), from, to);
      else {
        this.byte(0xf0 | (point >> 18), from, to);
        this.byte(0x80 | ((point >> 12) & 63), from, to);
      }
      this.byte(0x80 | ((point >> 6) & 63), from, to);
    }
    this.byte(0x80 | (point & 63), from, to);
  }

  end(): DecodedText {
    return {
      bytes: this.#bytes.subarray(0, this.#length),
      from: this.#from.subarray(0, this.#length),
      to: this.#to.subarray(0, this.#length),
    };
  }
}

interface Escape {
  readonly kind: 'byte' | 'point' | 'nothing';
  readonly value: number;
  /** Number of bytes that write the escape. */
  readonly length: number;
}

const code = (character: string): number => character.charCodeAt(0);
const [percent, backslash, ampersand, semicolon] = ['%', '\\', '&', ';'].map(code) as [number, number, number, number];
const isMarker = new Uint8Array(256);
for (const byte of [percent, backslash, ampersand, 0]) isMarker[byte] = 1;

function escapeAt(bytes: Uint8Array, at: number, marker: number): Escape | undefined {
  if (marker === 0) return { kind: 'nothing', value: 0, length: 1 };
  if (marker === percent) {
    const value = numberAt(bytes, at + 1, 2, 16);
    return value < 0 ? undefined : { kind: 'byte', value, length: 3 };
  }
  return marker === backslash ? backslashAt(bytes, at) : entityAt(bytes, at);
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12, v: 11, 0: 0 };

function backslashAt(bytes: Uint8Array, at: number): Escape | undefined {
  const next = bytes[at + 1];
  if (next === undefined) return undefined;
  const letter = String.fromCharCode(next);
  if (letter === 'u' && bytes[at + 2] === code('{')) {
    const close = bytes.subarray(at + 3, at + 10).indexOf(code('}'));
    const point = close > 0 ? numberAt(bytes, at + 3, close, 16) : -1;
    return point < 0 || point > 0x10ffff ? undefined : { kind: 'point', value: point, length: close + 4 };
  }
  if (letter === 'u') return unitAt(bytes, at);
  if (letter === 'x') {
    const value = numberAt(bytes, at + 2, 2, 16);
    return value < 0 ? undefined : { kind: 'byte', value, length: 4 };
  }
  return { kind: 'byte', value: controls[letter] ?? next, length: 2 };
}

/** Decodes `\uXXXX`, or a pair of them that makes one character. */
function unitAt(bytes: Uint8Array, at: number): Escape | undefined {
  const unit = numberAt(bytes, at + 2, 4, 16);
  if (unit < 0) return undefined;
  const isPair = unit >= 0xd800 && unit < 0xdc00 && bytes[at + 6] === backslash && bytes[at + 7] === code('u');
  const low = isPair ? numberAt(bytes, at + 8, 4, 16) : -1;
  if (low >= 0xdc00 && low <= 0xdfff) return { kind: 'point', value: 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), length: 12 };
  if (unit === 0) return { kind: 'nothing', value: 0, length: 6 };
  return { kind: 'point', value: isSurrogate(unit) ? 0xfffd : unit, length: 6 };
}

const entities: Readonly<Record<string, number>> = { amp: 38, lt: 60, gt: 62, quot: 34, apos: 39, nbsp: 32 };
const entityMax = 10;

function entityAt(bytes: Uint8Array, at: number): Escape | undefined {
  const length = bytes.subarray(at + 1, at + 1 + entityMax).indexOf(semicolon);
  if (length < 1) return undefined;
  const name = Buffer.from(bytes.subarray(at + 1, at + 1 + length)).toString('latin1');
  const isHex = name.startsWith('#x') || name.startsWith('#X');
  const skipped = isHex ? 2 : 1;
  const value = name.startsWith('#')
    ? numberAt(bytes, at + 1 + skipped, length - skipped, isHex ? 16 : 10)
    : Object.hasOwn(entities, name)
      ? (entities[name] as number)
      : -1;
  return value < 0 || value > 0x10ffff || isSurrogate(value) ? undefined : { kind: 'point', value, length: length + 2 };
}

/** Returns the number that `digits` digits write, or -1 if they are not digits. */
function numberAt(bytes: Uint8Array, at: number, digits: number, radix: 10 | 16): number {
  if (digits < 1 || at + digits > bytes.length) return -1;
  let value = 0;
  for (let index = at; index < at + digits; index++) {
    const digit = digitOf(bytes[index] as number);
    if (digit >= radix) return -1;
    value = value * radix + digit;
  }
  return value;
}

function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : 99;
}
