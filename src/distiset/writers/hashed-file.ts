import fs from 'node:fs';
import { sha256Stream, type Sha256 } from '../../kit/sha256.ts';

/** A file that is written sequentially and hashed at the same time. Without a path it is only hashed. */
export class HashedFile {
  readonly #descriptor: number | null;
  readonly #hash = sha256Stream();
  #bytes = 0;

  constructor(path: string | null) {
    this.#descriptor = path === null ? null : fs.openSync(path, 'wx', 0o644);
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    const descriptor = this.#descriptor;
    if (descriptor !== null) for (let written = 0; written < chunk.byteLength; ) written += fs.writeSync(descriptor, chunk, written);
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
  }

  /** Ends the file and returns its size and hash. It is flushed to disk before this returns. */
  close(): { readonly bytes: number; readonly sha256: Sha256 } {
    if (this.#descriptor !== null) {
      fs.fsyncSync(this.#descriptor);
      fs.closeSync(this.#descriptor);
    }
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes the file without completing it. */
  abandon(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
  }
}
