import { Fault } from '../kit/fault.ts';
import { sha256 } from '../kit/sha256.ts';

/** Returns a chunk's bytes if they exist and have the hash that is their address. Throws `Fault('chunk-missing')` and `Fault('chunk-corrupted')`. */
export function checkChunk(address: string, bytes: Uint8Array | undefined): Uint8Array {
  const hint = 'To find the position that names it: distilog verify';
  if (!bytes) throw new Fault('chunk-missing', `Chunk ${address.slice(0, 12)}… is not stored. ${hint}`, { details: { chunk: address } });
  if (sha256(bytes) !== address) {
    throw new Fault('chunk-corrupted', `Chunk ${address.slice(0, 12)}… does not have the bytes that were stored. ${hint}`, {
      details: { chunk: address },
    });
  }
  return bytes;
}

/** Returns the fault for a chunk whose address is already in use for other bytes. */
export const chunkConflict = (address: string, cause?: unknown): Fault =>
  new Fault(
    'chunk-corrupted',
    `Chunk ${address.slice(0, 12)}… cannot be stored: other bytes are stored under its address. To find the positions that name it: distilog verify. The owner of the store must delete the stored bytes.`,
    { details: { chunk: address }, ...(cause === undefined ? {} : { cause }) },
  );

/** Returns whether a memory store already has these bytes. Throws `Fault('chunk-corrupted')` if it has other bytes under their address. */
export function hasChunk(stored: ReadonlyMap<string, Uint8Array>, address: string, bytes: Uint8Array): boolean {
  const known = stored.get(address);
  if (known && Buffer.compare(known, bytes) !== 0) throw chunkConflict(address);
  return known !== undefined;
}
