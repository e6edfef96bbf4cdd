import { sha256Stream, type Sha256 } from '#kit/sha256';

/** Text that is gathered before it is hashed, in UTF-16 code units: a hash of a line at a time takes three times as long. */
const gatheredLength = 64 * 1024;

/** The SHA-256 over rows as canonical JSON, a line each, whatever the format. */
export class LinesHash {
  readonly #hash = sha256Stream();
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
    const bytes = Buffer.from(this.#gathered, 'utf8');
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
    this.#gathered = '';
  }
}
