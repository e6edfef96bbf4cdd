/** A chunk as it is stored, or as it is sent inline with an event. */
export interface PackedChunk {
  /** Its address: the SHA-256 of the bytes before compression. */
  readonly sha256: string;
  /** How `body` is compressed: `none`, or `zstd`. */
  readonly codec: string;
  /** Bytes before compression. */
  readonly length: number;
  readonly body: Uint8Array;
}
