import { spawnSync } from 'node:child_process';
import os from 'node:os';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../schema/index.ts';
import { newId } from '../../src/kit/ids.ts';
import { encodeEvent, leafHash, openAppender, verify } from '../../src/log/index.ts';
import { finishedRun, started } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const store = await database.store();

const resumed = (epoch: number): NewEvent => ({
  type: 'RunResumed',
  data: {
    reason: 'taken-over',
    epoch,
    actor: { user: 'u', host: 'h', pid: 1 },
    from: null,
    positionSeen: 1,
    acceptedChanges: [],
    concurrency: {},
    program: { distilog: '0', node: '0' },
  },
});

async function driven(runId: string, options?: { readonly seize: boolean }) {
  const opened = await store.log.openDriver(runId, options);
  if (!opened.ok) throw new Error('the run is driven by another process');
  return opened.session;
}

describe('the driver lock', () => {
  it('can be seized from a live driver that asks for it again at once; the appends of that driver are then refused', async () => {
    const runId = await finishedRun(store, 10);
    const head = await store.log.head(runId);
    const { position = 0, hash = '', epoch = 1 } = head ?? {};
    const appender = openAppender({
      log: store.log,
      runId,
      session: await driven(runId),
      epoch,
      position,
      expectedHash: hash,
      writer: 'w',
    });
    const busy = (async () => {
      for (let batch = 5_000; ; batch++) await appender.append([started(batch)]);
    })();
    busy.catch(() => undefined);
    await appender.append([started(4_999)]);

    const before = Date.now();
    const taker = await driven(runId, { seize: true });
    expect(Date.now() - before).toBeLessThan(3_000);
    const seen = await store.log.head(runId);
    const taken = await taker.takeOver({
      logId: runId,
      epoch,
      appendId: newId(),
      expectedHash: seen?.hash ?? '',
      writer: 'taker',
      events: [encodeEvent(resumed(epoch + 1))],
    });
    expect(taken).toMatchObject({ ok: true, epoch: epoch + 1 });
    await expect(busy).rejects.toMatchObject({ code: 'fenced' });
    expect((await store.log.head(runId))?.hash).toBe(taken.ok && taken.hash);
    await appender.close();
    await taker.close();
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });

  it.each([1, 2, 3, 4, 5])(
    'passes from its holder to the process that seizes it, and to no other process that tries meanwhile (%i)',
    async () => {
      const runId = await finishedRun(store, 10);
      const session = await driven(runId);
      let isOver = false;
      let snatched = 0;
      const rivals = [1, 2, 3].map(async () => {
        const client = new pg.Client(database.app());
        client.on('error', () => undefined);
        await client.connect();
        while (!isOver) {
          const { rows } = await client.query(`select pg_try_advisory_lock(hashtextextended('distilog driver ' || $1, 0)) as locked`, [
            runId,
          ]);
          if ((rows as { locked: boolean }[])[0]?.locked) snatched++;
        }
        await client.end();
      });
      const ended = Promise.allSettled(rivals);
      const taker = await driven(runId, { seize: true });
      isOver = true;
      await ended;
      expect(snatched).toBe(0);
      expect(await store.log.holder(runId)).not.toBeNull();
      await taker.close();
      await session.close().catch(() => undefined);
    },
  );

  it('is free as soon as the connection that held it is cut', async () => {
    const runId = await finishedRun(store, 10);
    const session = await driven(runId);
    await database.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'distilog driver%'`,
    );
    await expect.poll(() => store.log.holder(runId)).toBeNull();
    await (await driven(runId)).close();
    await session.close().catch(() => undefined);
  });

  it('is waited for where its driver on this machine is dead, and the server has yet to notice', async () => {
    const runId = await finishedRun(store, 10);
    const { pid: dead } = spawnSync('true');
    const holder = new pg.Client({ ...database.app(), application_name: `distilog driver ${dead} user@${os.hostname()}` });
    await holder.connect();
    await holder.query(`select pg_advisory_lock(hashtextextended('distilog driver ' || $1, 0))`, [runId]);
    setTimeout(() => void holder.end(), 300);
    const opened = await store.log.openDriver(runId);
    expect(opened.ok).toBe(true);
    if (opened.ok) await opened.session.close();
  });

  it('covers one run: other runs can be driven concurrently', async () => {
    const runs = [await finishedRun(store, 10), await finishedRun(store, 10)] as const;
    const sessions = [await driven(runs[0]), await driven(runs[1])];
    await Promise.all(sessions.map((session) => session.close()));
  });
});

describe('a time at or after the head’s', () => {
  it('waits for an append in flight, which is then in', async () => {
    const runId = await finishedRun(store, 10);
    const head = await store.log.head(runId);
    const writer = new pg.Client(database.app());
    await writer.connect();
    const event = { type: 'BatchStarted', version: 1, pass: 1, step: 'all', batch: 77, attempt: 1, chunks: [], data: '{}' };
    await writer.query('begin');
    await writer.query(
      `select distilog.append($1, $2, 'in flight', $3, 'w', array['BatchStarted'], array[1], array[1], array['all'], array[77::bigint], array[1], array[''], array['{}'], array[$4::bytea])`,
      [runId, head?.epoch, Buffer.from(head?.hash ?? '', 'hex'), Buffer.from(leafHash(event), 'hex')],
    );
    let isResolved = false;
    const asked = store.log.positionAt(runId, (Date.now() + 1_000) * 1_000).finally(() => {
      isResolved = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isResolved).toBe(false);
    await writer.query('commit');
    expect(await asked).toBe((head?.position ?? 0) + 1);
    await writer.end();
  });
});
