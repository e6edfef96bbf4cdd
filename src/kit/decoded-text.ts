import { Buffer } from 'node:buffer';

/** A text, or what it says once it is decoded, as UTF-8, with the place in the text that each byte comes from. */
export interface DecodedText {
  readonly bytes: Uint8Array;
  /** Where in the text a byte's character or escape begins, and where it ends. Null: the bytes are the text's own characters. */
  readonly from: Int32Array | null;
  readonly to: Int32Array | null;
}

/** The place in the text of bytes `start` to `end`. */
export const placeIn = ({ from, to }: DecodedText, start: number, end: number): readonly [from: number, to: number] => [
  from ? (from[start] as number) : start,
  to ? (to[end - 1] as number) : end,
];

/** A text as bytes. */
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
 * Decodes every escape that stands in a text, one level of each: percent-encoding, backslashes of JSON and JavaScript, entities of HTML. Drops the zero bytes
 * of UTF-16. Null: nothing was decoded. One pass, whatever the text.
 */
export function decodedOnce(text: DecodedText): DecodedText | null {
  const { bytes } = text;
  if (!bytes.some((byte) => isMarker[byte])) return null;
  const writer = new ByteWriter(bytes.length);
  let isChanged = false;
  for (let index = 0; index < bytes.length; ) {
    const byte = bytes[index] as number;
    const escape = isMarker[byte] ? escapeAt(bytes, index, byte) : undefined;
    const next = index + (escape?.length ?? 1);
    const [from, to] = placeIn(text, index, next);
    if (escape?.kind === 'point') writer.point(escape.value, from, to);
    else if (escape?.kind !== 'nothing') writer.byte(escape?.value ?? byte, from, to);
    isChanged ||= escape !== undefined;
    index = next;
  }
  return isChanged ? writer.end() : null;
}

/** The bytes of a text that `map` keeps, each as it says; it drops those for which it gives -1. */
export function mapped(text: DecodedText, map: Int16Array): DecodedText {
  const writer = new ByteWriter(text.bytes.length);
  for (let index = 0; index < text.bytes.length; index++) {
    const byte = map[text.bytes[index] as number] as number;
    if (byte >= 0) writer.byte(byte, ...placeIn(text, index, index + 1));
  }
  return writer.end();
}

const isSurrogate = (point: number): boolean => point >= 0xd800 && point <= 0xdfff;

/** Collects bytes and their places; there are never more than were there before. */
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
  /** Bytes of it. */
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

/** `\uXXXX`, or two of them that make one character. */
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

/** The number that so many digits write; -1 where they are none. */
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
