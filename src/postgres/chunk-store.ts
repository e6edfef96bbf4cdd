import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import type { PackedChunk } from '../../schema/index.ts';
import { checkChunk, type Chunk, type ChunkStore } from '../log/index.ts';
import { encodeBigintArray, encodeByteaArray, encodeSha256Array, encodeTextArray } from './binary-array.ts';
import { Coalescer } from './coalescer.ts';
import type { Reader } from './reader.ts';
import { decompressBody, requireSameRows, type PackedBody } from './stored-chunk.ts';

const compress = promisify(zstdCompress);

/** Bytes below which a chunk is not compressed. */
const compressFrom = 256;
/** Bytes from which another thread compresses. Handing over less takes longer than compressing it. */
const compressInThreadFrom = 32 * 1024;
/**
 * zstd level for compression in another thread, where it may take longer. Text gets 6 % smaller than at the default level, 3, for one more millisecond in
 * 80 KB, and decompresses as fast. Chunks that the default level shrinks below an eighth have little left to gain.
 */
const thoroughLevel = 9;
const thoroughFrom = 1 / 8;
/** Bytes up to which that level needs 7 MB of memory. Beyond, it would need 25 MB. */
const thoroughUpTo = 256 * 1024;
/** Compressed bytes per insert, unless a single chunk is larger. */
const insertBytesMax = 16 * 1024 * 1024;
/** Chunks per insert. */
const insertRowsMax = 1_000;
/** Concurrent inserts. */
const insertsMax = 2;
/** Chunks per select, whose bodies are in memory together, and concurrent selects. */
const fetchRowsMax = 8;
const fetchesMax = 2;

/** Returns the chunk store on PostgreSQL. Compresses here, which saves the server work and traffic. */
export function postgresChunks(reader: Reader): ChunkStore {
  const inserts = new Coalescer((chunks: readonly PackedChunk[]) => insert(reader, chunks), {
    runningMax: insertsMax,
    countMax: insertRowsMax,
    weightMax: insertBytesMax,
    weightOf: ({ body }) => body.byteLength,
  });
  const fetches = new Coalescer((addresses: readonly string[]) => fetchChunks(reader, addresses), {
    runningMax: fetchesMax,
    countMax: fetchRowsMax,
    weightMax: Number.POSITIVE_INFINITY,
    weightOf: () => 0,
  });
  return {
    put: async (chunks) => {
      await Promise.all((await Promise.all(chunks.map(packChunk))).map((row) => inserts.add(row)));
    },
    pack: (chunks) => Promise.all(chunks.map(packChunk)),
    get: async (address) => {
      const stored = await fetches.add(address);
      return checkChunk(address, stored ? await decompressBody(stored, address) : undefined);
    },
  };
}

async function insert(reader: Reader, chunks: readonly PackedChunk[]): Promise<readonly void[]> {
  const { addresses, codecs, lengths, bodies } = chunkArrays(chunks);
  const differing = await reader.query(async (database) => {
    const { rows } = await sql<{
      differing: readonly string[];
    }>`select distilog.store_chunks(${addresses}::bytea[], ${codecs}::text[], ${lengths}::bigint[], ${bodies}::bytea[]) as differing`.execute(
      database,
    );
    return rows[0]?.differing ?? [];
  });
  await requireSameRows(differing, (compared) => fetchChunks(reader, compared));
  return chunks.map(() => undefined);
}

/** Writes chunks as the arrays that `distilog.store_chunks` and `distilog.append` take. */
export const chunkArrays = (chunks: readonly PackedChunk[]) => ({
  addresses: encodeSha256Array(chunks.map(({ sha256 }) => sha256)),
  codecs: encodeTextArray(chunks.map(({ codec }) => codec)),
  lengths: encodeBigintArray(chunks.map(({ length }) => length)),
  bodies: encodeByteaArray(chunks.map(({ body }) => body)),
});

/** Reads the chunk stored under each address, or undefined. */
async function fetchChunks(reader: Reader, addresses: readonly string[]): Promise<readonly (PackedBody | undefined)[]> {
  const wanted = [...new Set(addresses)].map((address) => Buffer.from(address, 'hex'));
  const rows = await reader.query((database) =>
    database.selectFrom('distilog.chunks').select(['sha256', 'codec', 'length', 'body']).where('sha256', 'in', wanted).execute(),
  );
  const found = new Map(rows.map(({ sha256, ...stored }) => [sha256.toString('hex'), stored]));
  return addresses.map((address) => found.get(address));
}

async function packChunk({ sha256, bytes }: Chunk): Promise<PackedChunk> {
  const plain = { sha256, codec: 'none', length: bytes.byteLength, body: bytes };
  if (bytes.byteLength < compressFrom) return plain;
  const body = bytes.byteLength < compressInThreadFrom ? zstdCompressSync(bytes) : await compressInThread(bytes);
  return body.byteLength < bytes.byteLength ? { ...plain, codec: 'zstd', body } : plain;
}

async function compressInThread(bytes: Uint8Array): Promise<Buffer> {
  // With the length known beforehand, zstd allocates no more memory than it needs.
  const pledgedSrcSize = bytes.byteLength;
  const body = await compress(bytes, { pledgedSrcSize });
  if (bytes.byteLength > thoroughUpTo || body.byteLength < bytes.byteLength * thoroughFrom) return body;
  return compress(bytes, { pledgedSrcSize, params: { [constants.ZSTD_c_compressionLevel]: thoroughLevel } });
}
