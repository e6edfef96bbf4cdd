import { expect, it } from 'vitest';
import { inspectStore } from '#postgres';
import { openClient } from '../../src/postgres/connection.ts';
import { brokenGuards } from '../../src/postgres/guards.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();

/** What is told after somebody ran this, which is then undone. */
async function toldAfter(sql: string): Promise<readonly string[]> {
  const client = await openClient(database.owner, 'test');
  try {
    await client.query(`begin; ${sql}`);
    return await brokenGuards(client);
  } finally {
    await client.query('rollback');
    await client.end();
  }
}

it('a store says that every guard is in force', async () => {
  expect((await inspectStore(database.owner)).guardsOff).toEqual([]);
});

it.each([
  ['alter table distilog.events disable trigger append_only', ['events.append_only is switched off']],
  ['alter table distilog.events enable trigger append_only', ['events.append_only is switched off']],
  ['drop trigger append_only_truncate on distilog.chunks', ['chunks.append_only_truncate is dropped']],
  ['alter table distilog.snapshots disable trigger append_only', ['snapshots.append_only is switched off']],
  ['drop trigger append_only on distilog.heads', ['heads.append_only is dropped']],
  [
    `create or replace trigger append_only before update on distilog.commits for each statement execute function distilog.refuse_change();
     alter table distilog.commits enable always trigger append_only`,
    ['commits.append_only is another'],
  ],
  [
    `create function public.nothing() returns trigger language plpgsql as 'begin return null; end';
     create or replace trigger append_only before update or delete on distilog.events for each statement execute function public.nothing();
     alter table distilog.events enable always trigger append_only`,
    ['events.append_only is another'],
  ],
  [
    `create or replace trigger append_only before update or delete on distilog.chunks for each statement when (false) execute function distilog.refuse_change();
     alter table distilog.chunks enable always trigger append_only`,
    ['chunks.append_only is another'],
  ],
  ['drop index distilog.events_one_success', ['events_one_success is dropped']],
  [`drop index distilog.events_one_end; create index events_one_end on distilog.events (log_id)`, ['events_one_end is dropped']],
  ['alter table distilog.events drop constraint events_end_is_of_an_attempt', ['events_end_is_of_an_attempt is dropped']],
  ['alter table distilog.chunks drop constraint chunks_pkey', ['chunks_pkey is dropped']],
  ['alter table distilog.commits drop constraint commits_append_id', ['commits_append_id is dropped']],
  [
    `create or replace function distilog.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
    ['function refuse_change is another'],
  ],
  [
    'drop function distilog.refuse_change() cascade',
    expect.arrayContaining(['events.append_only is dropped', 'function refuse_change is dropped']),
  ],
])('after %s it says so', async (sql, expected) => {
  expect(await toldAfter(sql)).toEqual(expected);
});

it('an append function that somebody put in place of ours is told', async () => {
  const { rows } = await database.sql(`select pg_get_functiondef('distilog.append'::regproc) as text`);
  const [{ text }] = rows as [{ text: string }];
  expect(await toldAfter(text)).toEqual([]);
  expect(await toldAfter(text.replace("'fenced'", "'ok'"))).toEqual(['function append is another']);
});
