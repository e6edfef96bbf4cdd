import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib';
import { sql } from 'kysely';
import type { PackedChunk } from '../../schema/index.ts';
import { checkChunk, type Chunk, type ChunkStore } from '../log/index.ts';
import { bigintArray, byteaArray, sha256Array, textArray } from './binary-array.ts';
import { Coalescer } from './coalescer.ts';
import type { Reader } from './reader.ts';
import { bodyOf, requireSameRows, type PackedBody } from './stored-chunk.ts';

const compress = promisify(zstdCompress);

/** Bytes below which compression is not worth a look. */
const compressFrom = 256;
/** Bytes from which another thread compresses: handing less over takes longer than doing it. */
const compressAsideFrom = 32 * 1024;
/**
 * What another thread does may take longer: text gets 6 % smaller than at zstd's third level, its default, for a millisecond more in 80 KB; unpacked as
 * fast. What shrinks to less than an eighth at once has little left to gain.
 */
const thoroughLevel = 9;
const thoroughFrom = 1 / 8;
/** Bytes up to which that level takes 7 MB at work; beyond, it would take 25. */
const thoroughUpTo = 256 * 1024;
/** Compressed bytes in one insert, unless a single chunk is larger. */
const insertBytesMax = 16 * 1024 * 1024;
/** Chunks in one insert. */
const insertRowsMax = 1_000;
/** Inserts under way. */
const insertsMax = 2;
/** Chunks in one select, whose bodies are held together, and selects under way. */
const fetchRowsMax = 8;
const fetchesMax = 2;

/** Chunks on PostgreSQL: compressed here, so the server neither works nor ships what it need not. */
export function postgresChunks(reader: Reader): ChunkStore {
  const inserts = new Coalescer((chunks: readonly PackedChunk[]) => insert(reader, chunks), {
    runningMax: insertsMax,
    countMax: insertRowsMax,
    weightMax: insertBytesMax,
    weightOf: ({ body }) => body.byteLength,
  });
  const fetches = new Coalescer((addresses: readonly string[]) => fetched(reader, addresses), {
    runningMax: fetchesMax,
    countMax: fetchRowsMax,
    weightMax: Number.POSITIVE_INFINITY,
    weightOf: () => 0,
  });
  return {
    put: async (chunks) => {
      await Promise.all((await Promise.all(chunks.map(packed))).map((row) => inserts.add(row)));
    },
    pack: (chunks) => Promise.all(chunks.map(packed)),
    get: async (address) => {
      const stored = await fetches.add(address);
      return checkChunk(address, stored ? await bodyOf(stored, address) : undefined);
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
  await requireSameRows(differing, (compared) => fetched(reader, compared));
  return chunks.map(() => undefined);
}

/** Writes chunks as the arrays that `distilog.store_chunks` and `distilog.append` take. */
export const chunkArrays = (chunks: readonly PackedChunk[]) => ({
  addresses: sha256Array(chunks.map(({ sha256 }) => sha256)),
  codecs: textArray(chunks.map(({ codec }) => codec)),
  lengths: bigintArray(chunks.map(({ length }) => length)),
  bodies: byteaArray(chunks.map(({ body }) => body)),
});

/** What is stored under each of these addresses, if anything is. */
async function fetched(reader: Reader, addresses: readonly string[]): Promise<readonly (PackedBody | undefined)[]> {
  const wanted = [...new Set(addresses)].map((address) => Buffer.from(address, 'hex'));
  const rows = await reader.query((database) =>
    database.selectFrom('distilog.chunks').select(['sha256', 'codec', 'length', 'body']).where('sha256', 'in', wanted).execute(),
  );
  const found = new Map(rows.map(({ sha256, ...stored }) => [sha256.toString('hex'), stored]));
  return addresses.map((address) => found.get(address));
}

async function packed({ sha256, bytes }: Chunk): Promise<PackedChunk> {
  const plain = { sha256, codec: 'none', length: bytes.byteLength, body: bytes };
  if (bytes.byteLength < compressFrom) return plain;
  const body = bytes.byteLength < compressAsideFrom ? zstdCompressSync(bytes) : await compressAside(bytes);
  return body.byteLength < bytes.byteLength ? { ...plain, codec: 'zstd', body } : plain;
}

async function compressAside(bytes: Uint8Array): Promise<Buffer> {
  // Told the length beforehand, zstd takes no more memory than that needs.
  const pledgedSrcSize = bytes.byteLength;
  const body = await compress(bytes, { pledgedSrcSize });
  if (bytes.byteLength > thoroughUpTo || body.byteLength < bytes.byteLength * thoroughFrom) return body;
  return compress(bytes, { pledgedSrcSize, params: { [constants.ZSTD_c_compressionLevel]: thoroughLevel } });
}
