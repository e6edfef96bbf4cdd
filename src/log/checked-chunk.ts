import { Fault } from '../kit/fault.ts';
import { sha256 } from '../kit/sha256.ts';

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

/** Says that a chunk cannot be stored, for something else stands under its address. */
export const otherRows = (address: string, cause?: unknown): Fault =>
  new Fault(
    'chunk-corrupted',
    `Chunk ${address.slice(0, 12)}… cannot be stored: other bytes are stored under its address. distilog verify names the positions that refer to it; the owner of the store has to delete it.`,
    { details: { chunk: address }, ...(cause === undefined ? {} : { cause }) },
  );

/** Whether a store in memory holds these bytes already. Throws `Fault('chunk-corrupted')` where it holds others under their address. */
export function isHeld(held: ReadonlyMap<string, Uint8Array>, address: string, bytes: Uint8Array): boolean {
  const known = held.get(address);
  if (known && Buffer.compare(known, bytes) !== 0) throw otherRows(address);
  return known !== undefined;
}
