import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/kit/ids.ts';
import { encodeEvent, openAppender, verify, type AppendRequest } from '../../src/log/index.ts';
import type { NewEvent } from '../../schema/index.ts';
import { startPipeline } from '../../src/engine/index.ts';
import { finishedRun, numbersPlan, started } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const store = await database.store();

async function driven() {
  const runId = await finishedRun(store, 10);
  const opened = await store.log.openDriver(runId);
  const head = await store.log.head(runId);
  if (!opened.ok || !head) throw new Error('not driven');
  return { runId, session: opened.session, head };
}

const request = (logId: string, epoch: number, expectedHash: string, events: readonly NewEvent[]): AppendRequest => ({
  logId,
  epoch,
  expectedHash,
  appendId: newId(),
  writer: 'w',
  events: events.map(encodeEvent),
});

describe('an append on PostgreSQL', () => {
  it('is refused for a process that lost its run while it waited for the head', async () => {
    const { runId, session, head } = await driven();
    const blocker = new pg.Client(database.owner());
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('select from distilog.heads where log_id = $1 for update', [runId]);
    const ghost = session.append(request(runId, head.epoch, head.hash, [started(900)]));
    const taker = new pg.Client(database.owner());
    await taker.connect();
    await blocker.query('update distilog.heads set epoch = epoch + 1 where log_id = $1', [runId]);
    await blocker.query('commit');
    expect(await ghost).toMatchObject({ ok: false, code: 'fenced' });
    await Promise.all([blocker.end(), taker.end(), session.close()]);
    expect((await store.log.head(runId))?.position).toBe(head.position);
  });

  it('happens once even if the connection is cut repeatedly while it is in progress', async () => {
    const { runId, session, head } = await driven();
    const appender = openAppender({
      log: store.log,
      runId,
      session,
      epoch: head.epoch,
      position: head.position,
      expectedHash: head.hash,
      writer: 'w',
    });
    let isDone = false;
    const killer = (async () => {
      while (!isDone) {
        await database.sql(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'distilog driver%'`,
        );
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    const recorded = (
      await Promise.all(
        Array.from({ length: 200 }, async (_, batch) => {
          await new Promise((resolve) => setTimeout(resolve, batch * 4));
          return appender.append([started(1000 + batch)]);
        }),
      )
    ).flat();
    isDone = true;
    await killer;
    await appender.close();
    const stored = (await Array.fromAsync(store.log.read(runId, { from: head.position + 1 }))).flat();
    expect(stored.map(({ position }) => position)).toEqual(Array.from({ length: 200 }, (_, index) => head.position + 1 + index));
    expect(new Set(stored.map((event) => ('batch' in event ? event.batch : -1))).size).toBe(200);
    const order = (events: readonly { readonly position: number }[]) => events.map(({ position }) => position).sort((a, b) => a - b);
    expect(order(recorded)).toEqual(order(stored));
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });

  it('never goes back in time, even if the clock does', async () => {
    const { runId, session, head } = await driven();
    // As if the clock had been an hour ahead when the last event was recorded.
    await database.sql(`update distilog.heads set recorded_at = recorded_at + interval '1 hour' where log_id = $1`, [runId]);
    const appended = await session.append(request(runId, head.epoch, head.hash, [started(900)]));
    expect(appended.ok && appended.recordedAt > new Date(Date.now() + 3_500_000).toISOString()).toBe(true);
    expect(await store.log.unreliableFrom(runId)).toBe(head.position + 1);
    await session.close();
  });

  it('is refused after the server falls back to an older copy of the data, which would assign positions twice', async () => {
    const { runId, session, head } = await driven();
    const first = await session.append(request(runId, head.epoch, head.hash, [started(900)]));
    if (!first.ok) throw new Error(first.message);
    await database.sql(`begin; alter table distilog.events disable trigger all; alter table distilog.commits disable trigger all;
      delete from distilog.events where log_id = '${runId}' and position > ${head.position}; delete from distilog.commits where log_id = '${runId}' and first > ${head.position};
      update distilog.heads set position = ${head.position}, hash = '\\x${head.hash}' where log_id = '${runId}';
      alter table distilog.events enable always trigger append_only; alter table distilog.commits enable always trigger append_only; commit`);
    expect(await session.append(request(runId, head.epoch, first.hash, [started(901)]))).toMatchObject({
      ok: false,
      code: 'history-diverged',
    });
    await session.close();
  });
});

describe('a reader that follows logs while many write', () => {
  it('sees each position once, in order, and time never goes backwards', async () => {
    const runs = await Promise.all(Array.from({ length: 3 }, () => startPipeline(store, numbersPlan(400), { seed: 2 })));
    const seen = new Map<string, { readonly position: number; readonly recordedAt: string }[]>();
    let isOver = false;
    const readers = runs.map(async ({ runId }) => {
      const own: { readonly position: number; readonly recordedAt: string }[] = [];
      seen.set(runId, own);
      for (let next = 1; ; ) {
        const wasOver = isOver;
        for await (const page of store.log.read(runId, { from: next })) own.push(...page);
        const last = own.at(-1)?.position ?? 0;
        if (wasOver && last + 1 === next) return;
        next = last + 1;
      }
    });
    await Promise.all(runs.map((run) => run.drive()));
    isOver = true;
    await Promise.all(readers);
    for (const { runId } of runs) {
      const own = seen.get(runId) ?? [];
      expect(own.map(({ position }) => position)).toEqual(Array.from({ length: own.length }, (_, index) => index + 1));
      for (let index = 1; index < own.length; index++) expect(own[index]!.recordedAt >= own[index - 1]!.recordedAt).toBe(true);
      expect((await store.log.head(runId))?.position).toBe(own.length);
    }
  });
});
