import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { verify } from '#log';
import { finishedRun } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const store = await database.store();
const runId = await finishedRun(store);

async function refusal(connect: () => pg.ClientConfig, sql: string): Promise<string> {
  const client = new pg.Client(connect());
  await client.connect();
  try {
    await client.query('begin');
    await client.query(sql);
    return 'was let through';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await client.query('rollback').catch(() => undefined);
    await client.end();
  }
}

const history = ['events', 'commits', 'chunks', 'chunk_refs'] as const;

describe.runIf(database.hasRoles)('the program’s role', () => {
  it('owns nothing: the store says that roles keep history append-only', () => {
    expect(store.appendOnlyBy).toBe('roles');
  });

  const attacks = [
    ...[...history, 'heads'].flatMap((table) => [
      `update distilog.${table} set ${table === 'chunks' || table === 'chunk_refs' ? `sha256 = sha256` : `log_id = log_id`}`,
      `delete from distilog.${table}`,
      `truncate distilog.${table}`,
      `drop table distilog.${table}`,
      `alter table distilog.${table} disable trigger all`,
      `alter table distilog.${table} owner to current_user`,
    ]),
    `insert into distilog.events select * from distilog.events limit 1`,
    `insert into distilog.commits select * from distilog.commits limit 1`,
    `insert into distilog.heads values ('x', 0, now(), 1, '')`,
    `select distilog.append_events('${runId}', 1, false, 'x', null, 'w', array['RunPaused'], array[1], array[null::int], array[null::text], array[null::bigint], array[null::int], array[''], array['{}'])`,
    `set session_replication_role = replica`,
    `set role distilog_owner`,
    `create or replace function distilog.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
    `drop schema distilog cascade`,
    `create function distilog.mine() returns int language sql as 'select 1'`,
  ];
  it.each(attacks)('may not %s', async (sql) => {
    expect(await refusal(database.app, sql)).toMatch(/^(42501|42704|22023)$/);
  });

  it('may do this and nothing else; and everybody nothing', async () => {
    const { rows } = await database.sql(`
      select coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody') || ': ' || string_agg(what || ' ' || lower(privilege_type), ', ' order by what, privilege_type) as may
        from (select nspname::text as what, nspacl as acl from pg_namespace where nspname = 'distilog'
              union all select relname, relacl from pg_class where relnamespace = 'distilog'::regnamespace and relkind in ('r', 'v')
              union all select proname, coalesce(proacl, acldefault('f', proowner)) from pg_proc where pronamespace = 'distilog'::regnamespace) as o,
             aclexplode(acl) as a
       where a.grantee <> a.grantor and what not like 'migration%'
       group by a.grantee order by 1`);
    expect((rows as { may: string }[]).map(({ may }) => may)).toEqual([
      'distilog_app: append execute, chunk_refs select, chunks insert, chunks select, commits select, create_run execute, distilog usage, events select, heads select, history select, position_at execute, snapshots delete, snapshots insert, snapshots select, snapshots update, take_over execute',
    ]);
  });

  it('may not be tricked through its search path: the functions have their own', async () => {
    const sql = `create temp table heads (log_id text, position bigint); set search_path = pg_temp, distilog, public;
      select distilog.append('${runId}', 99, 'x', null, 'w', array['RunPaused'], array[1], array[null::int], array[null::text], array[null::bigint], array[null::int], array[''], array['{}'])`;
    expect(await refusal(database.app, sql)).toBe('was let through');
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });
});

describe('the owner, by accident,', () => {
  const attacks = history.flatMap((table) => [
    `update distilog.${table} set ${table === 'chunks' || table === 'chunk_refs' ? `sha256 = sha256` : `log_id = log_id`}`,
    `delete from distilog.${table}`,
    `truncate distilog.${table} cascade`,
    `set session_replication_role = replica; delete from distilog.${table}`,
    `set session_replication_role = replica; truncate distilog.${table} cascade`,
  ]);
  it.each([...attacks, 'delete from distilog.heads'])('may not %s', async (sql) => {
    expect(await refusal(database.owner, sql)).toBe('42501');
  });
});

describe('verify', () => {
  it('finds a finished run intact', async () => {
    expect(await verify(store, runId)).toMatchObject({ ok: true, firstBad: null });
  });

  const switchedOff = (
    sql: string,
  ) => `begin; alter table distilog.events disable trigger all; alter table distilog.commits disable trigger all;
    alter table distilog.chunks disable trigger all; alter table distilog.chunk_refs disable trigger all; ${sql}; commit`;
  const restored = async (work: () => Promise<void>) => {
    await database.sql(
      `create table public.backup_events as table distilog.events; create table public.backup_commits as table distilog.commits; create table public.backup_chunks as table distilog.chunks`,
    );
    try {
      await work();
    } finally {
      await database.sql(
        switchedOff(`delete from distilog.chunk_refs; delete from distilog.events; delete from distilog.commits; delete from distilog.chunks;
          insert into distilog.chunks table public.backup_chunks; insert into distilog.commits table public.backup_commits; insert into distilog.events table public.backup_events;
          drop table public.backup_events, public.backup_commits, public.backup_chunks`),
      );
    }
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  };

  it('names each single event that the owner altered with everything switched off', async () => {
    const { rows } = await database.sql('select position::int, type from distilog.events where log_id = $1 order by position', [runId]);
    await restored(async () => {
      for (const { position } of rows as { position: number }[]) {
        const one = `where log_id = '${runId}' and position = ${position}`;
        await database.sql(switchedOff(`update distilog.events set data = left(data, -1) || ',"forged":1}' ${one}`));
        expect((await verify(store, runId)).firstBad?.position).toBe(position);
        await database.sql(
          switchedOff(
            `update distilog.events e set data = b.data from public.backup_events b where b.log_id = e.log_id and b.position = e.position`,
          ),
        );
      }
    });
  });

  it.each([
    ['another type', `update distilog.events set type = 'StepFailed' where position = 5`, 5],
    ['another time', `update distilog.events set recorded_at = recorded_at - interval '1 hour' where position = 5`, 5],
    [
      'other chunks',
      `update distilog.events set chunks = '{}' where position = (select min(position) from distilog.events where type = 'BatchSucceeded')`,
      'the first success',
    ],
    ['a missing first event', `delete from distilog.events where position = 1`, 1],
    ['a missing event', `delete from distilog.events where position = 9`, 9],
    [
      'two that changed places',
      `update distilog.events set position = case position when 6 then -7 else -6 end where position in (6, 7); update distilog.events set position = -position where position < 0`,
      'their append',
    ],
    ['a missing tail', `delete from distilog.events where position > 10; delete from distilog.commits where first > 10`, 'the tail'],
    [
      'an inserted event',
      `insert into distilog.events select log_id, 1000000, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf from distilog.events where position = 3`,
      1_000_000,
    ],
    [
      'a forged leaf',
      `update distilog.events set data = replace(data, 'numbers', 'lettres'), leaf = sha256('forged') where position = 1`,
      1,
    ],
    ['a commit of another time', `update distilog.commits set recorded_at = recorded_at + interval '1 microsecond' where first = 2`, 2],
    [
      'an altered chunk',
      `update distilog.chunks set body = '\\x00' where sha256 = (select chunks[1] from distilog.events where type = 'BatchSucceeded' order by position limit 1)`,
      'the first success',
    ],
  ] as const)('finds %s', async (_what, sql, expected) => {
    const { rows } = await database.sql(
      `select min(position)::int as position from distilog.events where log_id = $1 and type = 'BatchSucceeded'`,
      [runId],
    );
    const firstSuccess = (rows as { position: number }[])[0]?.position;
    await restored(async () => {
      await database.sql(switchedOff(sql.replaceAll('where position', `where log_id = '${runId}' and position`)));
      const { ok, firstBad } = await verify(store, runId);
      expect(ok).toBe(false);
      if (typeof expected === 'number') expect(firstBad?.position).toBe(expected);
      if (expected === 'the first success') expect(firstBad?.position).toBe(firstSuccess);
      // Both are in place but for their order, which only their append's hash covers: its first position is named.
      if (expected === 'their append') expect(firstBad?.position).toBeLessThanOrEqual(6);
      if (expected === 'the tail') expect(firstBad?.position).toBeGreaterThan(10);
    });
  });
});
