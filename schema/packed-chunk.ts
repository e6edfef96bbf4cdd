/** A chunk as it is stored, or as an event brings it along. */
export interface PackedChunk {
  /** Of the bytes before compression: its address. */
  readonly sha256: string;
  /** How `body` is compressed: `none`, or `zstd`. */
  readonly codec: string;
  /** Bytes before compression. */
  readonly length: number;
  readonly body: Uint8Array;
}
