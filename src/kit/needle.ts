/** Bytes to search for, with the tables that find a part of them at a cut of the text (Knuth, Morris and Pratt). */
export interface Needle {
  readonly bytes: Uint8Array;
  readonly borders: Int32Array;
  readonly reversed: Uint8Array;
  readonly reversedBorders: Int32Array;
}

/** Prepares bytes for a search. */
export function needle(bytes: Uint8Array): Needle {
  const reversed = bytes.toReversed();
  return { bytes, borders: bordersOf(bytes), reversed, reversedBorders: bordersOf(reversed) };
}

/** Returns how many bytes before `end` match the beginning of a needle, but not all of it. */
export function beginningBefore(text: Uint8Array, end: number, { bytes, borders }: Needle): number {
  let met = 0;
  for (let index = Math.max(0, end - bytes.length + 1); index < end; index++)
    met = countMatched(text[index] as number, met, bytes, borders);
  return met;
}

/** Returns how many bytes at the start of a text match the end of a needle, but not all of it. */
export function endAtStart(text: Uint8Array, { reversed, reversedBorders }: Needle): number {
  let met = 0;
  for (let index = Math.min(text.length, reversed.length - 1) - 1; index >= 0; index--)
    met = countMatched(text[index] as number, met, reversed, reversedBorders);
  return met;
}

/** Returns how many bytes of a needle match once `byte` follows `before` matched bytes. */
function countMatched(byte: number, before: number, bytes: Uint8Array, borders: Int32Array): number {
  let met = before;
  while (met > 0 && byte !== bytes[met]) met = borders[met] as number;
  return byte === bytes[met] ? met + 1 : met;
}

/** Returns, by number of matched bytes, how many of them still match when the next byte differs. */
function bordersOf(bytes: Uint8Array): Int32Array {
  const borders = new Int32Array(bytes.length + 1);
  for (let index = 1, border = 0; index < bytes.length; index++) {
    while (border > 0 && bytes[index] !== bytes[border]) border = borders[border] as number;
    if (bytes[index] === bytes[border]) border++;
    borders[index + 1] = border;
  }
  return borders;
}
