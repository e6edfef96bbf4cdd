import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { actor } from '../fixtures/actor.ts';
import { retryPipeline, startPipeline } from '../../src/engine/index.ts';
import { appendSideEvent, verify } from '../../src/log/index.ts';
import { openPostgresStore } from '../../src/postgres/index.ts';
import { pipeline, plan } from '../../src/pipeline/index.ts';
import { numbersPlan } from './runs.ts';
import { testDatabase } from './server.ts';

/** Returns SQL that creates a trigger, which alters rows before they are stored. */
const alter = (table: string, body: string, on = 'insert'): string =>
  `create function distilog.alters() returns trigger language plpgsql as $$ begin ${body} end $$;
   create trigger alters before ${on} on distilog.${table} for each row execute function distilog.alters()`;

/** Returns SQL that replaces a piece of a function's definition. */
const replace = (
  name: string,
  piece: string,
  by: string,
): string => `do $do$ declare text text := pg_get_functiondef('distilog.${name}'::regproc); begin
  if position($p$${piece}$p$ in text) = 0 then raise 'not there'; end if; execute replace(text, $p$${piece}$p$, $p$${by}$p$); end $do$`;

const between: readonly (readonly [string, string])[] = [
  ['chunks', alter('events', `if new.chunks <> '{}' then new.chunks := array[sha256('other')]; end if; return new;`)],
  ['data', alter('events', `new.data := replace(new.data, ':', ': '); return new;`)],
  [
    'a hash together with its data',
    alter(
      'events',
      `new.data := '{}'; new.leaf := distilog.leaf(new.type, new.version, new.pass, new.step, new.batch, new.attempt, '', '{}'); new.chunks := '{}'; return new;`,
    ),
  ],
  ['a place', alter('events', `new.batch := new.batch + 1; return new;`)],
  ['a position', alter('events', 'new.position := new.position + 1000; return new;')],
  ['a time', alter('events', `new.recorded_at := new.recorded_at - interval '1 hour'; return new;`)],
  ['the number of events', alter('events', `if new.type = 'BatchStarted' then return null; end if; return new;`)],
  ['who wrote', alter('commits', `new.writer := 'another'; return new;`)],
  ['where the log ends', alter('heads', "new.recorded_at := new.recorded_at + interval '1 hour'; return new;", 'update')],
];
/** Alterations that only the client can notice, because the server's own computation is altered. */
const within: readonly (readonly [string, string])[] = [
  ['the hash of an append', replace('append', 'distilog.frame(p_writer)', `distilog.frame('another')`)],
  [
    'the hash of an event',
    `${replace('append', 'chunks, data, leaf)\n', 'chunks, data, leaf)\n')}; ${replace('append', 'd, l\n', `d, sha256(''::bytea)\n`)}; ${replace('append', 'leaf = distilog.leaf(', `leaf is not null or ''::bytea = distilog.leaf(`)}; ${replace('append', 'if not is_sent then', 'if false then')}`,
  ],
  ['what an append follows', replace('append', `distilog.ascii_frame(encode(head.hash, 'hex'))`, `distilog.ascii_frame('00')`)],
  ['time', replace('append', 'distilog.ascii_frame(at_micros::text)', `distilog.ascii_frame((at_micros + 1)::text)`)],
];

/** A pipeline that counts the calls it paid for. */
function paying() {
  const paid = { calls: 0 };
  const planned = plan(
    pipeline('paying', ({ source }) => {
      const all = source('all', { output: z.object({ n: z.int() }), batchSize: 5, rows: Array.from({ length: 50 }, (_, n) => ({ n })) });
      all.map('answer', {
        output: z.object({ text: z.string() }),
        concurrency: 1,
        run: ({ n }) => {
          paid.calls++;
          return { text: `answer ${n}` };
        },
      });
    }),
  );
  return { planned, paid };
}

describe('a run whose store alters what it was sent', () => {
  it.each([...between, ...within])('ends with hash-mismatch and pays for nothing more, if the server alters %s', async (_what, sql) => {
    const database = await testDatabase();
    const store = await openPostgresStore(database.app);
    try {
      const { planned, paid } = paying();
      const run = await startPipeline(store, planned, { seed: 1 });
      const numbers = numbersPlan(10);
      const over = await startPipeline(store, numbers, { seed: 1 });
      await over.drive();
      await database.sql(sql);
      await expect(run.drive()).rejects.toMatchObject({ code: 'hash-mismatch', message: expect.stringContaining('distilog db status') });
      expect(paid.calls).toBe(0);
      // A takeover and a start are appends, too, but their events belong to no batch, and the first append follows nothing.
      if (/new\.batch :=|BatchStarted/.test(sql)) return;
      const mismatch = { code: 'hash-mismatch' };
      await expect(retryPipeline(store, numbers, { runId: over.runId, acceptedChanges: [], concurrency: {} })).rejects.toMatchObject(
        mismatch,
      );
      await expect(startPipeline(store, planned, { seed: 1 })).rejects.toMatchObject(mismatch);
    } finally {
      await store.close();
    }
  });

  it.each(between)('stores nothing of the altered append, if the server alters %s', async (_what, sql) => {
    const database = await testDatabase();
    const store = await openPostgresStore(database.app);
    try {
      const run = await startPipeline(store, paying().planned, { seed: 1 });
      await database.sql(sql);
      await expect(run.drive()).rejects.toMatchObject({ code: 'hash-mismatch' });
      expect(await verify(store, run.runId)).toMatchObject({ ok: true });
    } finally {
      await store.close();
    }
  });

  it('compares the append to its side log, too', async () => {
    const database = await testDatabase();
    const store = await openPostgresStore(database.app);
    try {
      const run = await startPipeline(store, paying().planned, { seed: 1 });
      await database.sql(within[0]?.[1] ?? '');
      const asked = appendSideEvent(store.log, run.runId, { type: 'PauseRequested', data: { actor, message: 'm' } }, 'u@h:1');
      await expect(asked).rejects.toMatchObject({ code: 'hash-mismatch' });
      await run.drive().catch(() => undefined);
    } finally {
      await store.close();
    }
  });
});
