import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../src/engine/index.ts';
import { codeOf } from '../../src/kit/fault.ts';
import { appendSideEvent, type Store } from '../../src/log/index.ts';
import { pipeline, plan } from '../../src/pipeline/index.ts';
import { openPostgresStore, type Connect } from '../../src/postgres/index.ts';
import { ownServer, type OwnServer } from './own-server.ts';
import { finishedRun, numbersPlan } from './runs.ts';

const away = (needed: RegExp) => ({
  code: 'standby-away',
  message: expect.stringMatching(needed) as string,
});

describe('a server whose commits wait for a synchronous standby that is away', { timeout: 120_000 }, () => {
  let server: OwnServer;
  let store: Store;
  let before: string;

  /** Sets which standbys commits wait for. The statement itself does not wait. */
  const setStandbys = async (names: string): Promise<void> => {
    await server.sql(
      names === '' ? 'alter system reset synchronous_standby_names' : `alter system set synchronous_standby_names = '${names}'`,
    );
    await server.sql('select pg_reload_conf()');
    await expect
      .poll(async () => (await server.sql('show synchronous_standby_names')).rows[0])
      .toEqual({ synchronous_standby_names: names });
  };
  const waiting = async (): Promise<number> => {
    const { rows } = await server.sql(`select count(*)::int as n from pg_stat_activity where wait_event = 'SyncRep'`);
    return (rows[0] as { n: number }).n;
  };

  beforeAll(async () => {
    server = await ownServer();
    await server.sql('alter system set wal_level = replica');
    await server.sql('alter system set max_wal_senders = 4');
    await server.stop('fast');
    await server.start();
    // A connection counts as lost early, so that no test waits for a minute.
    const connect: Connect = () => ({ ...server.app(), query_timeout: 3_000 });
    store = await openPostgresStore(connect);
    before = await finishedRun(store, 20);
  });

  afterAll(async () => {
    await store.close();
    await server.remove();
  });

  it.each([
    ['x', /waits for a synchronous standby \(synchronous_standby_names = 'x'\), and none is connected/],
    ['ANY 2 (x, y, z)', /waits for 2 synchronous standbys \(synchronous_standby_names = 'ANY 2 \(x, y, z\)'\)/],
    ['*', /waits for a synchronous standby/],
  ])('with standbys %s takes no run and no request, says so before anything is sent, and is read', async (names, message) => {
    await setStandbys(names);
    try {
      await expect(startPipeline(store, numbersPlan(10))).rejects.toMatchObject(away(message));
      const pause = { type: 'PauseRequested', data: { actor: { user: 'ada', host: 'engine', pid: 1 }, message: 'asked' } } as const;
      await expect(appendSideEvent(store.log, before, pause, 'ada@engine:1')).rejects.toMatchObject(away(message));
      expect(await waiting()).toBe(0);
      const seen: string[] = [];
      for await (const page of store.log.runs()) seen.push(...page.map(({ runId }) => runId));
      expect(seen).toEqual([before]);
    } finally {
      await setStandbys('');
    }
  });

  it('makes a running run wait until the standby is back', async () => {
    let open = (): void => undefined;
    let reached = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const atGate = new Promise<void>((resolve) => (reached = resolve));
    const gated = plan(
      pipeline('gated', ({ source }) => {
        const all = source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] });
        return {
          held: all.map('held', {
            output: z.object({ twice: z.int() }),
            run: async ({ n }) => {
              reached();
              await gate;
              return { twice: 2 * n };
            },
          }),
        };
      }),
    );
    const seen: string[] = [];
    const openDriver: Store['log']['openDriver'] = (...args) =>
      store.log.openDriver(...args).catch((error: unknown) => {
        seen.push(codeOf(error) ?? '');
        throw error;
      });
    const run = await startPipeline({ ...store, log: { ...store.log, openDriver } }, gated);
    const driven = run.drive();
    await atGate;
    await setStandbys('x');
    try {
      open();
      await expect.poll(waiting, { timeout: 30_000 }).toBeGreaterThan(0);
      // The driver gives that connection up, and learns the cause when it opens the next one.
      await expect.poll(() => seen, { timeout: 60_000 }).toContain('standby-away');
    } finally {
      await setStandbys('');
    }
    expect((await driven).rest).toBe('succeeded');
  });
});
