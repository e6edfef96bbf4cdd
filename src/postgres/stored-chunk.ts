import { promisify } from 'node:util';
import { constants, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Fault, hasCode } from '../kit/fault.ts';
import { checkChunk, chunkConflict } from '../log/index.ts';
import { chunkUnpackedMax, type PackedChunk } from '../../schema/index.ts';

const decompress = promisify(zstdDecompress);

/** Bytes from which another thread decompresses. Smaller chunks block this thread for at most a tenth of a millisecond. */
const decompressInThreadFrom = 256 * 1024;
/** Chunks that are compared together. */
const comparedMax = 8;

/** A stored chunk without its address. */
export type PackedBody = Omit<PackedChunk, 'sha256'>;

/** Decompresses a stored chunk. Throws `Fault('chunk-corrupted')` if that fails. */
export async function decompressBody({ codec, length, body }: PackedBody, address: string): Promise<Uint8Array> {
  if (codec === 'none') return body;
  const broken = (cause?: unknown) =>
    new Fault(
      'chunk-corrupted',
      `Chunk ${address.slice(0, 12)}… cannot be decompressed (${codec}). To find the position that names it: distilog verify`,
      {
        details: { chunk: address },
        cause,
      },
    );
  if (codec !== 'zstd') throw broken();
  try {
    // Manipulated bytes must not decompress to more than the memory can hold.
    const maxOutputLength = Math.min(length, chunkUnpackedMax);
    // In one output buffer, with one spare byte to detect the end. Node's default buffers of 16 KB take four times as long.
    const options = { maxOutputLength, chunkSize: Math.max(constants.Z_MIN_CHUNK, maxOutputLength + 1) };
    return length < decompressInThreadFrom ? zstdDecompressSync(body, options) : await decompress(body, options);
  } catch (error) {
    throw broken(error);
  }
}

/**
 * Compares sent chunks with those stored under their addresses with other bytes, because another version may have compressed the same rows differently.
 * Throws `Fault('chunk-corrupted')` if the rows differ.
 */
export async function requireSameRows(
  addresses: readonly string[],
  fetch: (addresses: readonly string[]) => Promise<readonly (PackedBody | undefined)[]>,
): Promise<void> {
  for (let from = 0; from < addresses.length; from += comparedMax) {
    const compared = addresses.slice(from, from + comparedMax);
    const stored = await fetch(compared);
    for (const [index, address] of compared.entries()) {
      try {
        const chunk = stored[index];
        checkChunk(address, chunk && (await decompressBody(chunk, address)));
      } catch (error) {
        throw hasCode(error, 'chunk-corrupted') ? chunkConflict(address, error) : error;
      }
    }
  }
}
