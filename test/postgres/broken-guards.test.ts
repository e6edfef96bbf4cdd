import { expect, it } from 'vitest';
import { inspectStore } from '../../src/postgres/index.ts';
import { openClient } from '../../src/postgres/connection.ts';
import { findSchemaDifferences } from '../../src/postgres/schema-differences.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();

/** Returns the schema differences that are found after `sql` ran. Rolls it back. */
async function differencesAfter(sql: string): Promise<readonly string[]> {
  const client = await openClient(database.owner, 'test');
  try {
    await client.query(`begin; ${sql}`);
    return await findSchemaDifferences(client);
  } finally {
    await client.query('rollback');
    await client.end();
  }
}

/** Returns SQL that replaces one piece of a function's text. */
const replaced = (
  name: string,
  piece: string,
  by: string,
): string => `do $do$ declare text text := pg_get_functiondef('distilog.${name}'::regproc); begin
  if position($p$${piece}$p$ in text) = 0 then raise 'not there'; end if; execute replace(text, $p$${piece}$p$, $p$${by}$p$); end $do$`;

it('an unaltered store reports no difference', async () => {
  expect((await inspectStore(database.owner)).guardsOff).toEqual([]);
  expect((await inspectStore(database.app)).guardsOff).toEqual([]);
});

it.each<[string, readonly string[]]>([
  // Triggers.
  ['alter table distilog.events disable trigger append_only', ['events.append_only is switched off']],
  ['alter table distilog.events enable trigger append_only', ['events.append_only fires unless replicating, not always']],
  ['drop trigger append_only_truncate on distilog.chunks', ['chunks.append_only_truncate is dropped']],
  ['drop trigger append_only on distilog.heads', ['heads.append_only is dropped']],
  [
    `create or replace trigger append_only before update on distilog.commits for each statement execute function distilog.refuse_change();
     alter table distilog.commits enable always trigger append_only`,
    ['commits.append_only: definition is another'],
  ],
  [
    `create function public.nothing() returns trigger language plpgsql as 'begin return null; end';
     create or replace trigger append_only before update or delete on distilog.events for each statement execute function public.nothing();
     alter table distilog.events enable always trigger append_only`,
    ['events.append_only: definition is another'],
  ],
  [
    `create or replace trigger append_only before update or delete on distilog.chunks for each statement when (false) execute function distilog.refuse_change();
     alter table distilog.chunks enable always trigger append_only`,
    ['chunks.append_only: definition is another'],
  ],
  [
    `create function public.swap() returns trigger language plpgsql as $$ begin new.chunks := '{}'; return new; end $$;
     create trigger swaps before insert on distilog.events for each row execute function public.swap()`,
    [`events.swaps is not distilog's`],
  ],
  // Indexes and constraints.
  ['drop index distilog.events_one_success', ['events_one_success is dropped']],
  [`drop index distilog.events_one_end; create index events_one_end on distilog.events (log_id)`, ['events_one_end: index is another']],
  [`create unique index one_writer on distilog.commits (writer)`, [`one_writer is not distilog's`]],
  ['alter table distilog.events drop constraint events_end_is_of_an_attempt', ['events_end_is_of_an_attempt is dropped']],
  [
    `alter table distilog.events drop constraint events_end_is_of_an_attempt; alter table distilog.events add constraint events_end_is_of_an_attempt check (true)`,
    ['events_end_is_of_an_attempt: definition is another'],
  ],
  ['alter table distilog.chunks drop constraint chunks_pkey', ['chunks_pkey is dropped']],
  ['alter table distilog.commits drop constraint commits_append_id', ['commits_append_id is dropped']],
  ['alter table distilog.chunks add constraint small check (length < 1000000)', [`small is not distilog's`]],
  // Functions and their attributes.
  [
    `create or replace function distilog.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
    [
      'function refuse_change: settings is none, not search_path=pg_catalog, pg_temp; standard_conforming_strings=on',
      'function refuse_change: text is another',
    ],
  ],
  [replaced('append', `'fenced'`, `'ok'`), ['function append: text is another']],
  [replaced('position_at', 'c.recorded_at <= p_at', 'c.recorded_at < p_at'), ['function position_at: text is another']],
  [replaced('leaf', 'sha256(', 'sha224('), ['function leaf: text is another']],
  ['alter function distilog.append security invoker', ['function append: security definer is no, not yes']],
  ['alter function distilog.append reset standard_conforming_strings', ['function append: settings is another']],
  [`alter function distilog.position_at set search_path = public, pg_catalog`, ['function position_at: settings is another']],
  ['alter function distilog.position_at volatile strict', ['function position_at: strict is yes, not no']],
  ['alter function distilog.frame(text) immutable', ['function frame: volatility is i, not s']],
  [
    `create function distilog.mine() returns int language sql as 'select 1'`,
    [`function mine() is not distilog's`, 'everybody may EXECUTE on function mine'],
  ],
  [
    `create function distilog.append(text) returns int language sql as 'select 1'; revoke all on function distilog.append(text) from public`,
    [`function append(text) is not distilog's`],
  ],
  // Tables, columns, views, rules, policies.
  [
    `create or replace view distilog.history as select log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data::jsonb as data from distilog.events where position > 5`,
    ['view history: text is another'],
  ],
  [`create view distilog.other as select 1 as one`, [`view other is not distilog's`]],
  [`create rule nothing as on insert to distilog.chunks do instead nothing`, [`rule nothing of chunks is not distilog's`]],
  [
    `create policy mine on distilog.events using (position < 9); alter table distilog.events enable row level security`,
    ['table events: row security is yes no, not no no', `policy mine of events is not distilog's`],
  ],
  [`alter table distilog.events force row level security`, ['table events: row security is no yes, not no no']],
  [`alter table distilog.heads add column more text`, ['table heads has another column more: 6 text x']],
  [`alter table distilog.commits alter column writer drop not null`, ['table commits: column writer is 8 text x, not 8 text not null x']],
  [
    `alter table distilog.commits alter column writer set default 'me'`,
    [`table commits: column writer is 8 text not null default 'me'::text x, not 8 text not null x`],
  ],
  [
    `alter table distilog.heads alter column epoch type numeric`,
    ['table heads: column epoch is 4 numeric not null m, not 4 bigint not null p'],
  ],
  [`alter table distilog.snapshots set unlogged`, ['table snapshots: persistence is u, not p']],
  [`create table public.heir () inherits (distilog.events)`, ['table events: heirs is public.heir, not none']],
  [`create table distilog.more (n int)`, [`table more is not distilog's`]],
  [`create domain distilog.word as text`, [`type word is not distilog's`]],
])('a store reports the difference after: %s', async (sql, expected) => {
  expect(await differencesAfter(sql)).toEqual(expected);
});

it('a store reports a dropped function and the triggers that were dropped with it', async () => {
  expect(await differencesAfter('drop function distilog.refuse_change() cascade')).toEqual(
    expect.arrayContaining(['events.append_only is dropped', 'function refuse_change is dropped']),
  );
});

it.runIf(database.hasRoles).each<[string, readonly string[]]>([
  ['grant insert on distilog.events to distilog_app', ['distilog_app may INSERT on events']],
  ['grant update (epoch) on distilog.heads to distilog_app', ['distilog_app may UPDATE on column epoch of heads']],
  ['grant insert on distilog.chunks to distilog_app', ['distilog_app may INSERT on chunks']],
  ['grant create on schema distilog to distilog_app', ['distilog_app may CREATE on schema distilog']],
  ['grant select on distilog.events to distilog_app with grant option', ['distilog_app may grant SELECT on events to others']],
  ['grant select on distilog.events to public', ['everybody may SELECT on events']],
  ['grant execute on function distilog.append to public', ['everybody may EXECUTE on function append']],
  ['grant execute on function distilog.admit to distilog_app', ['distilog_app may EXECUTE on function admit']],
  ['revoke select on distilog.chunks from distilog_app', ['distilog_app may not SELECT on chunks, though it may append']],
  [
    'create role reader_of_tests; grant usage on schema distilog to reader_of_tests; grant select on all tables in schema distilog to reader_of_tests',
    [],
  ],
  [
    'create role owner_of_tests; alter function distilog.position_at owner to owner_of_tests',
    ["function position_at: owner is owner_of_tests, not the log's"],
  ],
  [
    'alter default privileges in schema distilog grant insert on tables to distilog_app',
    [expect.stringMatching(/^default privileges of .* is not distilog's$/) as unknown as string],
  ],
])('a store compares grants and owners, after: %s', async (sql, expected) => {
  expect(await differencesAfter(sql)).toEqual(expected);
});
