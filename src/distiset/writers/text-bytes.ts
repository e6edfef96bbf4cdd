/** Maximum size of the buffer that is kept from one row group to the next. A larger one is released. */
const keptBytesMax = 2 * 1024 * 1024;

/** Marks a null in the list of ends. */
const nullEnd = -1;

/**
 * Buffers a column's texts as UTF-8 in one block of memory. The Parquet writer would allocate a block per text, which takes longer than the rest of its work.
 * Texts buffered as strings outlive the young generation, so the heap would grow by more than the size of a row group.
 */
export class TextBytes {
  #memory = Buffer.alloc(0);
  /** The end of each text. */
  readonly #ends: number[] = [];
  #end = 0;

  /** Adds a text, which must be well-formed: a lone surrogate would become U+FFFD. */
  add(text: string | null): void {
    if (text === null) {
      this.#ends.push(nullEnd);
      return;
    }
    // A code unit takes at most three bytes, so the exact size is computed only if that maximum does not fit.
    if (this.#end + 3 * text.length > this.#memory.byteLength) this.#makeRoom(Buffer.byteLength(text));
    this.#end += this.#memory.write(text, this.#end);
    this.#ends.push(this.#end);
  }

  /** Returns the texts since the last call and clears the buffer. They are valid until the next `add`. */
  take(): (Uint8Array | null)[] {
    const { buffer } = this.#memory;
    let start = 0;
    const texts = this.#ends.map((end) => {
      if (end === nullEnd) return null;
      const bytes = new Uint8Array(buffer, start, end - start);
      start = end;
      return bytes;
    });
    if (this.#end > keptBytesMax) this.#memory = Buffer.alloc(0);
    this.#ends.length = 0;
    this.#end = 0;
    return texts;
  }

  #makeRoom(length: number): void {
    const wanted = this.#end + length;
    if (wanted <= this.#memory.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#memory.byteLength));
    this.#memory.copy(larger, 0, 0, this.#end);
    this.#memory = larger;
  }
}
