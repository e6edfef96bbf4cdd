import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/kit/sha256.ts';
import { mutated } from '../fuzz/mutate.ts';
import { randomFrom } from '../unit/random.ts';
import { testDatabase } from './server.ts';

const seed = Number(process.env['DISTILOG_SEED'] ?? 1);
const database = await testDatabase();

describe('a chunk that its owner altered', () => {
  const bytes = Buffer.from('rows of a chunk, again and again '.repeat(200));
  const address = sha256(bytes);
  const alter = async (codec: string, length: number, body: Buffer) => {
    await database.sql('alter table distilog.chunks disable trigger all');
    await database.sql('update distilog.chunks set codec = $1, length = $2, body = $3', [codec, length, body]);
  };

  it(`is found, whatever was done to it (seed ${seed})`, async () => {
    const store = await database.store();
    await store.chunks.put([{ sha256: address, bytes }]);
    const stored = (await database.sql('select codec, length, body from distilog.chunks')).rows[0] as { codec: string; body: Buffer };
    const random = randomFrom(seed);
    for (let each = 0; each < 60; each++) {
      const body = mutated(stored.body, random);
      await alter(random.pick(['zstd', 'none', 'gzip', '']), random.pick([bytes.length, 0, -1, 1, Number.MAX_SAFE_INTEGER]), body);
      const read = await store.chunks.get(address).catch((error: unknown) => error);
      // Some alterations leave the bytes as they were.
      if (Buffer.isBuffer(read)) expect(sha256(read)).toBe(address);
      else expect(read).toMatchObject({ code: 'chunk-corrupted' });
    }
  });

  it('unpacks to no more than a chunk may, whatever it claims', async () => {
    const store = await database.store();
    const own = Buffer.from('a chunk of its own '.repeat(200));
    const ownAddress = sha256(own);
    await store.chunks.put([{ sha256: ownAddress, bytes: own }]);
    const bomb = zstdCompressSync(Buffer.alloc(300 * 1024 * 1024));
    await alter('zstd', Number.MAX_SAFE_INTEGER, bomb);
    await expect(store.chunks.get(ownAddress)).rejects.toMatchObject({
      code: 'chunk-corrupted',
      message: expect.stringContaining('cannot be decompressed'),
    });
  });
});
