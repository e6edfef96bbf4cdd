import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Fault } from '../../src/kit/fault.ts';
import { inspectStore, migrate, openPostgresStore, select, type Connect } from '../../src/postgres/index.ts';
import { ownServer } from './own-server.ts';
import { openPooler, type Pooler, type PoolMode } from './pool-proxy.ts';
import { finishedRun } from './runs.ts';

const server = await ownServer();
const poolers: Pooler[] = [];

async function pooled(mode: PoolMode, size?: number): Promise<Connect> {
  const pooler = await openPooler(server.socket, mode, size);
  poolers.push(pooler);
  return pooler.through(server.app);
}

afterEach(async () => {
  for (const pooler of poolers.splice(0)) await pooler.close();
});

afterAll(() => server.remove());

describe('a pooler in front of the server', () => {
  it.each<readonly [PoolMode, number]>([
    ['transaction', 1],
    ['transaction', 3],
    ['transaction in turn', 2],
    ['transaction in turn', 5],
  ])('in mode %s with %i connections is refused by whatever opens the store, with a sentence', async (mode, size) => {
    const connect = await pooled(mode, size);
    const refused = {
      code: 'transaction-pooler',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+, database postgres is a connection pooler in transaction mode/),
    };
    const opens: readonly (() => Promise<unknown>)[] = [
      () => openPostgresStore(connect),
      () => inspectStore(connect),
      () => migrate(connect),
      () => select(connect, 'select 1', { rowsMax: 1, timeoutMs: 1_000 }),
    ];
    for (const open of opens) {
      const fault = await open().catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(Fault);
      expect(fault).toMatchObject(refused);
    }
  });

  it('accepts runs in session mode', async () => {
    const store = await openPostgresStore(await pooled('session'));
    try {
      const runId = await finishedRun(store, 50);
      expect((await store.log.head(runId))?.position).toBeGreaterThan(20);
    } finally {
      await store.close();
    }
  });
});
