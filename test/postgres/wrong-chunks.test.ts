import { constants, zstdCompressSync } from 'node:zlib';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../../src/engine/index.ts';
import { newId } from '../../src/kit/ids.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { encodeEvent, memoryStore, type AppendResult, type Store } from '../../src/log/index.ts';
import type { PackedChunk } from '../../schema/index.ts';
import { finishedRun, numbersPlan, started } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const store = await database.store();

const bytes = (name: string) => Buffer.from(`rows of ${name}, again and again `.repeat(30));
const chunkOf = (name: string) => ({ sha256: sha256(bytes(name)), bytes: bytes(name) });

/** Stores something under an address, as the owner may. */
const plant = (address: string, { codec, length, body }: Omit<PackedChunk, 'sha256'>) =>
  database.sql('insert into distilog.chunks values ($1, $2, $3, $4)', [Buffer.from(address, 'hex'), codec, length, Buffer.from(body)]);

/** Appends one event that names a chunk and brings it along. */
async function bring(to: Store, name: string): Promise<{ readonly result: Promise<AppendResult>; readonly runId: string }> {
  const runId = await finishedRun(to, 10);
  const head = await to.log.head(runId);
  const opened = await to.log.openDriver(runId, { seize: true });
  if (!head || !opened.ok) throw new Error('a run that is over has no driver');
  const { sha256: address } = chunkOf(name);
  const { session } = opened;
  const append = async () => {
    try {
      return await session.append(request);
    } finally {
      await session.close();
    }
  };
  const request = {
    logId: runId,
    epoch: head.epoch,
    appendId: newId(),
    expectedHash: head.hash,
    writer: 'w',
    events: [{ ...encodeEvent(started(900)), chunks: [address] }],
    brings: await to.chunks.pack([chunkOf(name)]),
  };
  return { runId, result: append() };
}

const wrong: readonly (readonly [string, (name: string) => Omit<PackedChunk, 'sha256'>])[] = [
  ['other bytes, uncompressed', () => ({ codec: 'none', length: 5, body: Buffer.from('other') })],
  ['other bytes, compressed', () => ({ codec: 'zstd', length: 900, body: zstdCompressSync(Buffer.from('other '.repeat(150))) })],
  ['an unknown codec', (name) => ({ codec: 'gzip', length: bytes(name).length, body: zstdCompressSync(bytes(name)) })],
  ['half of it', (name) => ({ codec: 'zstd', length: bytes(name).length, body: zstdCompressSync(bytes(name)).subarray(0, 40) })],
];

describe('a chunk under whose address something else is stored', () => {
  it.each(wrong)('is an error at once where it is stored by itself: %s', async (what, planted) => {
    const name = `itself ${what}`;
    await plant(chunkOf(name).sha256, planted(name));
    await expect(store.chunks.put([chunkOf(`good ${what}`), chunkOf(name)])).rejects.toMatchObject({
      code: 'chunk-corrupted',
      message: expect.stringContaining('other bytes are stored under its address'),
    });
  });

  it.each(wrong)('is an error at once if it comes with an event, and the event is not stored: %s', async (what, planted) => {
    const name = `brought ${what}`;
    await plant(chunkOf(name).sha256, planted(name));
    const { runId, result } = await bring(store, name);
    const before = await store.log.head(runId);
    await expect(result).rejects.toMatchObject({ code: 'chunk-corrupted' });
    expect(await store.log.head(runId)).toEqual(before);
  });

  it('ends a run that makes the same rows', async () => {
    const other = await testDatabase();
    const first = await finishedRun(store, 40);
    const { rows } = await database.sql(
      `select k.sha256, k.codec from distilog.events e, unnest(e.chunks) as c join distilog.chunks k on k.sha256 = c where e.log_id = $1 and e.type = 'BatchSucceeded' and e.step = 'doubled' limit 1`,
      [first],
    );
    const [{ sha256: address }] = rows as [{ sha256: Buffer }];
    await other.sql(`insert into distilog.chunks values ($1, 'none', 5, 'other')`, [address]);
    const run = await startPipeline(await other.store(), numbersPlan(40), { seed: 1 });
    await expect(run.drive()).rejects.toMatchObject({ code: 'chunk-corrupted' });
  });

  it.each(['put', 'append'])('is an error in the memory store, too: %s', async (how) => {
    const memory = memoryStore();
    memory.chunks.bytes.set(chunkOf('m').sha256, Buffer.from('other'));
    if (how === 'put') await expect(memory.chunks.put([chunkOf('m')])).rejects.toMatchObject({ code: 'chunk-corrupted' });
    else await expect((await bring(memory, 'm')).result).rejects.toMatchObject({ code: 'chunk-corrupted' });
  });
});

describe('the same rows, compressed by another version,', () => {
  const otherwise = (name: string) => ({
    codec: 'zstd',
    length: bytes(name).length,
    body: zstdCompressSync(bytes(name), { params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 } }),
  });

  it('are the same chunk', async () => {
    await plant(chunkOf('put').sha256, otherwise('put'));
    await store.chunks.put([chunkOf('put'), chunkOf('next')]);
    expect(await store.chunks.get(chunkOf('put').sha256)).toEqual(bytes('put'));
  });

  it.each([
    ['compressed otherwise', otherwise],
    ['not compressed', (name: string) => ({ codec: 'none', length: bytes(name).length, body: bytes(name) })],
    ['with another length', (name: string) => ({ ...otherwise(name), length: bytes(name).length + 1 })],
  ])('are accepted with an event: %s', async (what, planted) => {
    await plant(chunkOf(what).sha256, planted(what));
    expect(await (await bring(store, what)).result).toMatchObject({ ok: true });
    expect(await store.chunks.get(chunkOf(what).sha256)).toEqual(bytes(what));
  });
});

describe.runIf(database.hasRoles)('the program’s role stores chunks', () => {
  const zstd = zstdCompressSync(bytes('x'));
  const at = (text: string) => Buffer.from(sha256(text), 'hex');
  const call = async (sql: string, values: readonly unknown[]) => {
    const client = new pg.Client(database.app());
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const byFunction = 'select distilog.store_chunks(array[$1::bytea], array[$2::text], array[$3::bigint], array[$4::bytea]) as differing';

  it('not by itself', async () => {
    await expect(call('insert into distilog.chunks values ($1, $2, $3, $4)', [at('x'), 'none', 1, Buffer.from('x')])).rejects.toMatchObject(
      {
        code: '42501',
      },
    );
  });

  it.each<[string, Buffer, string | null, number | null, Buffer | null]>([
    ['bytes of another address', at('y'), 'none', 1, Buffer.from('x')],
    ['another length', at('x'), 'none', 2, Buffer.from('x')],
    ['an unknown codec', at('x'), 'gzip', 100, zstd],
    ['no codec', at('x'), null, 1, Buffer.from('x')],
    ['nothing', at('x'), 'none', 0, null],
    ['what is not compressed as it says', at('x'), 'zstd', 100, Buffer.from('x')],
    ['what does not shrink', at('x'), 'zstd', 1, zstd],
    ['an address that is none', Buffer.from('x'), 'zstd', bytes('x').length, zstd],
  ])('by a function that refuses %s', async (_what, ...values) => {
    await expect(call(byFunction, values)).rejects.toMatchObject({ code: '22023' });
    expect((await database.sql('select from distilog.chunks where sha256 = $1', [values[0]])).rows).toEqual([]);
  });

  it('and a wrong chunk that it cannot see is found when the right one is stored later', async () => {
    const name = 'squatted';
    const foreign = zstdCompressSync(Buffer.from('other '.repeat(500)));
    await call(byFunction, [Buffer.from(chunkOf(name).sha256, 'hex'), 'zstd', 3_000, foreign]);
    await expect(store.chunks.put([chunkOf(name)])).rejects.toMatchObject({ code: 'chunk-corrupted' });
  });
});
