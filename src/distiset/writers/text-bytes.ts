/** Bytes that are kept from one row group to the next: those of larger ones are let go. */
const keptBytesMax = 2 * 1024 * 1024;

/** Stands where a text would end that is null. */
const nullEnd = -1;

/**
 * Gathers a column's texts as UTF-8, one after the other in one piece of memory. The Parquet writer would make a piece for each, which takes longer than all
 * else it does; and texts that wait as they are outlive the young generation, so that the heap grows by what a row group holds and more.
 */
export class TextBytes {
  #memory = Buffer.alloc(0);
  /** Where each text ends. */
  readonly #ends: number[] = [];
  #end = 0;

  /** Adds a text, well-formed: a lone surrogate would become U+FFFD. */
  add(text: string | null): void {
    if (text === null) {
      this.#ends.push(nullEnd);
      return;
    }
    // No code unit takes more than three bytes: only where these would not fit are they counted.
    if (this.#end + 3 * text.length > this.#memory.byteLength) this.#makeRoom(Buffer.byteLength(text));
    this.#end += this.#memory.write(text, this.#end);
    this.#ends.push(this.#end);
  }

  /** The texts since they were last taken: they hold until the next one is added. */
  take(): (Uint8Array | null)[] {
    const { buffer } = this.#memory;
    let start = 0;
    const taken = this.#ends.map((end) => {
      if (end === nullEnd) return null;
      const bytes = new Uint8Array(buffer, start, end - start);
      start = end;
      return bytes;
    });
    if (this.#end > keptBytesMax) this.#memory = Buffer.alloc(0);
    this.#ends.length = 0;
    this.#end = 0;
    return taken;
  }

  #makeRoom(length: number): void {
    const wanted = this.#end + length;
    if (wanted <= this.#memory.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#memory.byteLength));
    this.#memory.copy(larger, 0, 0, this.#end);
    this.#memory = larger;
  }
}
