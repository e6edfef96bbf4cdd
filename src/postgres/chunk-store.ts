import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { Fault } from '#kit/fault';
import { chunkUnpackedMax } from '#schema';
import { checkedChunk, type Chunk, type ChunkStore } from '#log';
import type { Reader } from './reader.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Bytes below which compression is not worth a look. */
const compressFrom = 256;
/** Compressed bytes in one insert, unless a single chunk is larger. */
const insertBytesMax = 16 * 1024 * 1024;

/** Chunks on PostgreSQL: compressed here, so the server neither works nor ships what it need not. */
export function postgresChunks({ query }: Reader): ChunkStore {
  return {
    put: async (chunks) => {
      const rows = await Promise.all(chunks.map(rowOf));
      for (const batch of batches(rows)) {
        await query((database) =>
          database
            .insertInto('distilog.chunks')
            .values(batch)
            .onConflict((conflict) => conflict.column('sha256').doNothing())
            .execute(),
        );
      }
    },
    get: async (address) => {
      const row = await query((database) =>
        database
          .selectFrom('distilog.chunks')
          .select(['codec', 'length', 'body'])
          .where('sha256', '=', Buffer.from(address, 'hex'))
          .executeTakeFirst(),
      );
      return checkedChunk(address, row ? await bodyOf(row, address) : undefined);
    },
  };
}

interface ChunkRow {
  readonly sha256: Buffer;
  readonly codec: string;
  readonly length: number;
  readonly body: Buffer;
}

async function rowOf({ sha256, bytes }: Chunk): Promise<ChunkRow> {
  const plain = { sha256: Buffer.from(sha256, 'hex'), codec: 'none', length: bytes.byteLength, body: Buffer.from(bytes) };
  if (bytes.byteLength < compressFrom) return plain;
  const body = await compress(bytes, fast);
  return body.byteLength < bytes.byteLength ? { ...plain, codec: 'zstd', body } : plain;
}

async function bodyOf({ codec, length, body }: Omit<ChunkRow, 'sha256'>, address: string): Promise<Uint8Array> {
  if (codec === 'none') return body;
  const broken = (cause?: unknown) =>
    new Fault(
      'chunk-corrupted',
      `Chunk ${address.slice(0, 12)}… cannot be decompressed (${codec}); distilog verify names the position that refers to it.`,
      {
        details: { chunk: address },
        cause,
      },
    );
  if (codec !== 'zstd') throw broken();
  try {
    // Bytes that were tampered with must not unpack to more than memory holds.
    return await decompress(body, { maxOutputLength: Math.min(length, chunkUnpackedMax) });
  } catch (error) {
    throw broken(error);
  }
}

function* batches(rows: readonly ChunkRow[]): Generator<ChunkRow[]> {
  let batch: ChunkRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (batch.length > 0 && bytes + row.body.byteLength > insertBytesMax) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += row.body.byteLength;
  }
  if (batch.length > 0) yield batch;
}
