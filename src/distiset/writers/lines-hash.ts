import { sha256Stream, type Sha256 } from '../../kit/sha256.ts';

/** Text that is gathered before it is hashed, in UTF-16 code units: a hash of a line at a time takes three times as long. */
const gatheredLength = 64 * 1024;

/** The SHA-256 over rows as canonical JSON, a line each, whatever the format. */
export class LinesHash {
  readonly #hash = sha256Stream();
  /** Takes the UTF-8 of what is gathered, at three bytes a code unit: a buffer made for each takes as long as the hash. */
  readonly #memory = Buffer.allocUnsafeSlow(2 * 3 * gatheredLength);
  #gathered = '';
  #bytes = 0;

  add(text: string): void {
    this.#gathered += `${text}\n`;
    if (this.#gathered.length >= gatheredLength) this.#flush();
  }

  /** Ends it: how many bytes were hashed, and to what. */
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
