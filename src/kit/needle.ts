/** Bytes to look for, with what finds a part of them where a text was cut (Knuth, Morris and Pratt). */
export interface Needle {
  readonly bytes: Uint8Array;
  readonly borders: Int32Array;
  readonly reversed: Uint8Array;
  readonly reversedBorders: Int32Array;
}

/** Prepares bytes to be looked for. */
export function needle(bytes: Uint8Array): Needle {
  const reversed = bytes.toReversed();
  return { bytes, borders: bordersOf(bytes), reversed, reversedBorders: bordersOf(reversed) };
}

/** How many bytes before `end` are the beginning of a needle, without being all of it. */
export function beginningBefore(text: Uint8Array, end: number, { bytes, borders }: Needle): number {
  let met = 0;
  for (let index = Math.max(0, end - bytes.length + 1); index < end; index++) met = metAfter(text[index] as number, met, bytes, borders);
  return met;
}

/** How many bytes at the start of a text are the end of a needle, without being all of it. */
export function endAtStart(text: Uint8Array, { reversed, reversedBorders }: Needle): number {
  let met = 0;
  for (let index = Math.min(text.length, reversed.length - 1) - 1; index >= 0; index--)
    met = metAfter(text[index] as number, met, reversed, reversedBorders);
  return met;
}

function metAfter(byte: number, before: number, bytes: Uint8Array, borders: Int32Array): number {
  let met = before;
  while (met > 0 && byte !== bytes[met]) met = borders[met] as number;
  return byte === bytes[met] ? met + 1 : met;
}

/** By how many bytes were met, how many of them are met still when the next one differs. */
function bordersOf(bytes: Uint8Array): Int32Array {
  const borders = new Int32Array(bytes.length + 1);
  for (let index = 1, border = 0; index < bytes.length; index++) {
    while (border > 0 && bytes[index] !== bytes[border]) border = borders[border] as number;
    if (bytes[index] === bytes[border]) border++;
    borders[index + 1] = border;
  }
  return borders;
}
