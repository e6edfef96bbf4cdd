/** How many texts of a column are looked at, to tell whether any of them come again: as many as the Parquet writer looks at. */
const sampleMax = 1_000;

/** The share of a sample's bytes that differing texts may have, each with its length before it, for a dictionary to be tried. */
const distinctShareMax = 0.9;
const prefixBytes = 4;

/** Bytes that are kept from one row group to the next: those of larger ones are let go. */
const keptBytesMax = 2 * 1024 * 1024;

/**
 * Encodes a column's texts into one piece of memory: the Parquet writer makes one for each text, which takes longer than all else it does. What is
 * returned holds until it is asked again.
 */
export class TextBytes {
  #memory = Buffer.alloc(0);

  /** The texts' UTF-8; null where texts may come again, as a dictionary of them is made from the texts themselves. */
  of(texts: readonly (string | null)[]): readonly (Uint8Array | null)[] | null {
    if (mayComeAgain(texts)) return null;
    let length = 0;
    for (const text of texts) if (text !== null) length += Buffer.byteLength(text);
    const memory = this.#memory.byteLength >= length ? this.#memory : Buffer.allocUnsafeSlow(length);
    this.#memory = length <= keptBytesMax ? memory : Buffer.alloc(0);
    let end = 0;
    return texts.map((text) => {
      if (text === null) return null;
      const start = end;
      end += memory.write(text, start);
      return new Uint8Array(memory.buffer, start, end - start);
    });
  }
}

/** Whether so many of a sample come again that the Parquet writer tries a dictionary: it asks for a tenth of their bytes. */
function mayComeAgain(texts: readonly (string | null)[]): boolean {
  const sample = new Set<string>();
  const count = Math.min(texts.length, sampleMax);
  let length = 0;
  let distinctLength = 0;
  for (let index = 0; index < count; index++) {
    const text = texts[count === 1 ? 0 : Math.floor((index * (texts.length - 1)) / (count - 1))];
    if (text === null || text === undefined) continue;
    length += text.length + prefixBytes;
    if (sample.has(text)) continue;
    sample.add(text);
    distinctLength += text.length + prefixBytes;
  }
  return distinctLength <= distinctShareMax * length;
}
