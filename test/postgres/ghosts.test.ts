import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/kit/ids.ts';
import { encodeEvent, type AppendRequest, type AppendResult } from '../../src/log/index.ts';
import type { NewEvent } from '../../schema/index.ts';
import { openClient } from '../../src/postgres/connection.ts';
import { callAppend } from '../../src/postgres/statements.ts';
import { finishedRun, resumed, started } from './runs.ts';
import { testDatabase } from './server.ts';

// A client that has the program's password and calls the SQL functions directly, bypassing the program.

const database = await testDatabase();
const store = await database.store();

/** A run that was taken over: its epoch is 2. */
async function takenOver() {
  const runId = await finishedRun(store, 30);
  const before = await store.log.head(runId);
  const ask = async (changes: Partial<AppendRequest>, name: 'append' | 'take_over' = 'append'): Promise<AppendResult> => {
    const head = await store.log.head(runId);
    const request = {
      logId: runId,
      epoch: 2,
      appendId: newId(),
      expectedHash: head?.hash ?? null,
      writer: 'ghost',
      events: [encodeEvent(started(900))],
    };
    return await asApp((client) => callAppend(client, name, { ...request, ...changes }));
  };
  const known = newId();
  const taken = await ask({ epoch: 1, appendId: known, events: [encodeEvent(resumed(2))] }, 'take_over');
  if (!taken.ok) throw new Error(taken.message);
  return { runId, ask, known, hashBefore: before?.hash ?? '', head: await store.log.head(runId) };
}

async function asApp<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openClient(database.app, 'ghost');
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const ofBatch = (type: 'BatchSucceeded' | 'BatchFailed' | 'BatchAbandoned', changes: object = {}) => ({
  ...encodeEvent(started(0)),
  type,
  data: '{}',
  ...changes,
});

describe('a client that calls the SQL functions directly is refused', async () => {
  const { runId, ask, known, hashBefore, head } = await takenOver();
  const other = await finishedRun(store, 10);
  const otherHead = await store.log.head(other);
  const side = (event: NewEvent) => [encodeEvent(event)];
  const asked = side({ type: 'PauseRequested', data: { actor: { user: 'u', host: 'h', pid: 1 }, message: 'm' } });

  it.each<[string, string, Partial<AppendRequest>, ('append' | 'take_over')?]>([
    ['an old epoch', 'fenced', { epoch: 1 }],
    ['a takeover from an old epoch', 'fenced', { epoch: 1 }, 'take_over'],
    ['no epoch', 'fenced', { epoch: null }],
    ['a takeover without an epoch', 'fenced', { epoch: null }, 'take_over'],
    ['an epoch that is yet to come', 'history-diverged', { epoch: 3 }],
    ['what it saw before the takeover', 'history-diverged', { expectedHash: hashBefore }],
    ['what it saw of another run', 'history-diverged', { expectedHash: otherHead?.hash ?? '' }],
    ['another run, with what it saw of this one', 'history-diverged', { logId: other }],
    ['another run, with its epoch, and what it saw of this one', 'history-diverged', { logId: other, epoch: 1 }],
    ['a run that does not exist', 'unknown-log', { logId: 'missing' }],
    ['a second success of a batch', 'already-recorded', { events: [ofBatch('BatchSucceeded', { attempt: 2 })] }],
    [
      'a success after a success, in one append',
      'already-recorded',
      { events: [9, 9].map((batch, index) => ofBatch('BatchSucceeded', { batch, attempt: index + 1 })) },
    ],
    ['a failure of an attempt that succeeded', 'already-recorded', { events: [ofBatch('BatchFailed')] }],
    ['the abandonment of an attempt that succeeded', 'already-recorded', { events: [ofBatch('BatchAbandoned')] }],
    ['an end of no batch in particular', 'invalid-event', { events: [ofBatch('BatchSucceeded', { batch: null })] }],
    ['an end of no attempt in particular', 'invalid-event', { events: [ofBatch('BatchFailed', { attempt: null })] }],
    ['a known append id, and other events', 'append-id-reused', { appendId: known }],
    ['a chunk that is not stored', 'unknown-chunk', { events: [{ ...encodeEvent(started(900)), chunks: ['f'.repeat(64)] }] }],
    ['half a chunk', 'unknown-chunk', { events: [{ ...encodeEvent(started(900)), chunks: ['f'.repeat(62)] }] }],
    ['no events', 'invalid-event', { events: [] }],
    ['text that is not Unicode', 'invalid-event', { events: [{ ...encodeEvent(started(900)), data: '"\u0000"' }] }],
  ])('with %s: %s', async (_what, code, changes, name) => {
    expect(await ask(changes, name)).toMatchObject({ ok: false, code });
    expect(await store.log.head(runId)).toEqual(head);
  });

  it('except when it repeats an append of its own, which gets the same answer', async () => {
    const again = await ask({ epoch: 1, appendId: known, expectedHash: hashBefore, events: [encodeEvent(resumed(2))] }, 'take_over');
    expect(again).toMatchObject({ ok: true, last: head?.position, hash: head?.hash, duplicate: true });
    expect(await store.log.head(runId)).toEqual(head);
  });

  it('and cannot choose a position, a time or a hash: no function takes the first two, and a hash is compared', async () => {
    const { rows } = await database.sql(
      `select distinct unnest(p.proargnames) as name from pg_proc p where p.pronamespace = 'distilog'::regnamespace and p.proname in ('append', 'take_over', 'create_run')`,
    );
    expect((rows as { name: string }[]).map(({ name }) => name).sort()).toEqual([
      'p_addresses',
      'p_append_id',
      'p_attempts',
      'p_batches',
      'p_bodies',
      'p_chunks',
      'p_codecs',
      'p_data',
      'p_epoch',
      'p_expected',
      'p_leaves',
      'p_lengths',
      'p_log',
      'p_passes',
      'p_raise',
      'p_run',
      'p_steps',
      'p_types',
      'p_versions',
      'p_writer',
    ]);
  });

  it('if it creates a run that exists, or a side log without its run', async () => {
    const request = { logId: runId, epoch: 1, appendId: newId(), expectedHash: null, writer: 'stale', events: asked };
    expect(await asApp((client) => callAppend(client, 'create_run', request))).toMatchObject({ ok: false, code: 'already-recorded' });
    expect(await asApp((client) => callAppend(client, 'create_run', { ...request, logId: 'alone/side' }))).toMatchObject({
      ok: false,
      code: 'invalid-event',
    });
    expect(await store.log.head('alone/side')).toBeNull();
  });
});
