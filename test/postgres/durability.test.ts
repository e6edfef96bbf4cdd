import { afterAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kit/ids.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { encodeEvent, verify } from '../../src/log/index.ts';
import { openPostgresStore } from '../../src/postgres/index.ts';
import { ownServer } from './own-server.ts';
import { finishedRun, started } from './runs.ts';

const server = await ownServer();
afterAll(() => server.remove());

const crashes = 8;

describe('after a crash, the store still has every acknowledged', () => {
  it('event, with the chunk that it names or carries', async () => {
    // Whatever the role or the server has for a default.
    await server.sql('alter role distilog_app set synchronous_commit = off');
    let store = await openPostgresStore(server.app);
    const runId = await finishedRun(store, 10);
    for (let crash = 0; crash < crashes; crash++) {
      const opened = await store.log.openDriver(runId, { seize: true });
      const head = await store.log.head(runId);
      if (!opened.ok || !head) throw new Error('the run has a driver');
      const bytes = Buffer.from(`chunk ${crash} `.repeat(5_000));
      const chunk = { sha256: sha256(bytes), bytes };
      const brings = crash % 2 === 0 ? await store.chunks.pack([chunk]) : [];
      if (brings.length === 0) await store.chunks.put([chunk]);
      const events = [{ ...encodeEvent(started(900 + crash)), chunks: [chunk.sha256] }];
      const request = { logId: runId, epoch: head.epoch, expectedHash: head.hash, appendId: newId(), writer: 'w', events, brings };
      expect(await opened.session.append(request)).toMatchObject({ ok: true, first: head.position + 1 });
      await server.stop('immediate');
      await server.start();
      await opened.session.close();
      await store.close();
      store = await openPostgresStore(server.app);
      expect((await store.log.head(runId))?.position).toBe(head.position + 1);
      expect(await store.chunks.get(chunk.sha256)).toEqual(bytes);
    }
    expect(await verify(store, runId)).toMatchObject({ ok: true });
    await store.close();
  });

  it('chunk that no event has named yet', async () => {
    let store = await openPostgresStore(server.app);
    for (let crash = 0; crash < crashes; crash++) {
      const bytes = Buffer.from(`unnamed ${crash} `.repeat(5_000));
      const chunk = { sha256: sha256(bytes), bytes };
      await store.chunks.put([chunk]);
      await server.stop('immediate');
      await server.start();
      await store.close();
      store = await openPostgresStore(server.app);
      expect(await store.chunks.get(chunk.sha256)).toEqual(bytes);
    }
    await store.close();
  });
});
