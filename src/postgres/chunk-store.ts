import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Fault } from '#kit/fault';
import { chunkUnpackedMax, type PackedChunk } from '#schema';
import { checkedChunk, type Chunk, type ChunkStore } from '#log';
import { Gathered } from './gathered.ts';
import type { Reader } from './reader.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Bytes below which compression is not worth a look. */
const compressFrom = 256;
/** Bytes from which another thread compresses: handing less over takes longer than doing it. */
const compressAsideFrom = 32 * 1024;
/** Bytes from which another thread decompresses, which is a tenth of the work: below, others wait for a tenth of a millisecond. */
const decompressAsideFrom = 256 * 1024;
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
/** Chunks in one insert: each takes four of the 65,535 parameters that a statement may have. */
const insertRowsMax = 1_000;
/** Inserts under way. */
const insertsMax = 2;
/** Chunks in one select, whose bodies are held together, and selects under way. */
const fetchRowsMax = 8;
const fetchesMax = 2;

/** Chunks on PostgreSQL: compressed here, so the server neither works nor ships what it need not. */
export function postgresChunks(reader: Reader): ChunkStore {
  const inserts = new Gathered((chunks: readonly PackedChunk[]) => insert(reader, chunks), {
    runningMax: insertsMax,
    countMax: insertRowsMax,
    weightMax: insertBytesMax,
    weightOf: ({ body }) => body.byteLength,
  });
  const fetches = new Gathered((addresses: readonly string[]) => fetched(reader, addresses), {
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
      return checkedChunk(address, stored ? await bodyOf(stored, address) : undefined);
    },
  };
}

async function insert(reader: Reader, chunks: readonly PackedChunk[]): Promise<readonly void[]> {
  const rows = chunks.map(({ sha256, codec, length, body }) => ({
    sha256: Buffer.from(sha256, 'hex'),
    codec,
    length,
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  }));
  // By address: two transactions that have chunks in common wait for each other in one order only.
  const sorted = rows.toSorted((a, b) => Buffer.compare(a.sha256, b.sha256));
  await reader.query((database) =>
    database
      .insertInto('distilog.chunks')
      .values(sorted)
      .onConflict((conflict) => conflict.column('sha256').doNothing())
      .execute(),
  );
  return chunks.map(() => undefined);
}

/** What is stored of a chunk. */
type StoredChunk = Omit<PackedChunk, 'sha256'>;

/** What is stored under each of these addresses, if anything is. */
async function fetched(reader: Reader, addresses: readonly string[]): Promise<readonly (StoredChunk | undefined)[]> {
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

async function bodyOf({ codec, length, body }: StoredChunk, address: string): Promise<Uint8Array> {
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
    const maxOutputLength = Math.min(length, chunkUnpackedMax);
    // In one piece, with room for the end to be seen: node's pieces of 16 KB take four times as long.
    const options = { maxOutputLength, chunkSize: Math.max(constants.Z_MIN_CHUNK, maxOutputLength + 1) };
    return length < decompressAsideFrom ? zstdDecompressSync(body, options) : await decompress(body, options);
  } catch (error) {
    throw broken(error);
  }
}
