import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Fault } from '#kit/fault';
import { chunkUnpackedMax, type PackedChunk } from '#schema';
import { checkedChunk, type Chunk, type ChunkStore } from '#log';
import type { Reader } from './reader.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

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
/** Chunks in one insert: each takes four of the 65,535 parameters that a statement may have. */
const insertRowsMax = 1_000;
/** Inserts under way: what comes meanwhile goes together in the next. */
const insertsMax = 2;

/** Chunks on PostgreSQL: compressed here, so the server neither works nor ships what it need not. */
export function postgresChunks(reader: Reader): ChunkStore {
  const inserts = new Inserts(reader);
  return {
    put: async (chunks) => {
      await Promise.all((await Promise.all(chunks.map(packed))).map((row) => inserts.add(row)));
    },
    pack: (chunks) => Promise.all(chunks.map(packed)),
    get: async (address) => {
      const row = await reader.query((database) =>
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

/** Puts what many batches store at about the same time into a few inserts. */
class Inserts {
  readonly #reader: Reader;
  readonly #waiting: { readonly row: PackedChunk; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #running = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Resolves when the chunk is stored. */
  add(row: PackedChunk): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      if (this.#running < insertsMax) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    // Whoever else stores something in this turn of the event loop comes along.
    await Promise.resolve();
    for (let some = this.#take(); some.length > 0; some = this.#take()) {
      try {
        await this.#insert(some.map(({ row }) => row));
        for (const { resolve } of some) resolve();
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#running--;
  }

  #take() {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ row }, index) => {
      bytes += row.body.byteLength;
      return index > 0 && (bytes > insertBytesMax || index >= insertRowsMax);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  #insert(chunks: readonly PackedChunk[]): Promise<unknown> {
    const rows = chunks.map(({ sha256, codec, length, body }) => ({
      sha256: Buffer.from(sha256, 'hex'),
      codec,
      length,
      body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    }));
    // By address: two transactions that have chunks in common wait for each other in one order only.
    const sorted = rows.toSorted((a, b) => Buffer.compare(a.sha256, b.sha256));
    return this.#reader.query((database) =>
      database
        .insertInto('distilog.chunks')
        .values(sorted)
        .onConflict((conflict) => conflict.column('sha256').doNothing())
        .execute(),
    );
  }
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

async function bodyOf({ codec, length, body }: Omit<PackedChunk, 'sha256'>, address: string): Promise<Uint8Array> {
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
    const options = { maxOutputLength: Math.min(length, chunkUnpackedMax) };
    return length < compressAsideFrom ? zstdDecompressSync(body, options) : await decompress(body, options);
  } catch (error) {
    throw broken(error);
  }
}
