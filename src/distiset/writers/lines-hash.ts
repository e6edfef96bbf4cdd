import { sha256Stream, type Sha256 } from '../../kit/sha256.ts';

/** Length of the text buffered before it is hashed, in UTF-16 code units. Hashing one line at a time takes three times as long. */
const gatheredLength = 64 * 1024;

/** Computes the SHA-256 over rows as lines of canonical JSON, independent of the format. */
export class LinesHash {
  readonly #hash = sha256Stream();
  /** A reused buffer for the UTF-8 of the text, at three bytes per code unit. Allocating one per flush takes as long as the hash. */
  readonly #memory = Buffer.allocUnsafeSlow(2 * 3 * gatheredLength);
  #gathered = '';
  #bytes = 0;

  add(text: string): void {
    this.#gathered += `${text}\n`;
    if (this.#gathered.length >= gatheredLength) this.#flush();
  }

  /** Ends the hash. Returns the number of hashed bytes and the SHA-256. */
  end(): { readonly bytes: number; readonly sha256: Sha256 } {
    this.#flush();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  #flush(): void {
    const fits = 3 * this.#gathered.length <= this.#memory.byteLength;
    const bytes = fits ? this.#memory.subarray(0, this.#memory.write(this.#gathered)) : Buffer.from(this.#gathered);
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
    this.#gathered = '';
  }
}
