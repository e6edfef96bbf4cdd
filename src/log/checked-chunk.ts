import { Fault } from '#kit/fault';
import { sha256 } from '#kit/sha256';

/** A chunk's bytes, if they are there and have the hash that they are addressed by. Throws `Fault('chunk-missing')` and `Fault('chunk-corrupted')`. */
export function checkedChunk(address: string, bytes: Uint8Array | undefined): Uint8Array {
  const hint = 'distilog verify names the position that refers to it.';
  if (!bytes) throw new Fault('chunk-missing', `Chunk ${address.slice(0, 12)}… is not stored; ${hint}`, { details: { chunk: address } });
  if (sha256(bytes) !== address) {
    throw new Fault('chunk-corrupted', `Chunk ${address.slice(0, 12)}… does not have the bytes that were stored; ${hint}`, {
      details: { chunk: address },
    });
  }
  return bytes;
}
