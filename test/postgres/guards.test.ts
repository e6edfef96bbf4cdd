import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { verify } from '../../src/log/index.ts';
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

const history = ['events', 'commits', 'chunks'] as const;

describe.runIf(database.hasRoles)('the program’s role', () => {
  it('owns nothing, so the store reports that roles keep history append-only', () => {
    expect(store.appendOnlyBy).toBe('roles');
  });

  const attacks = [
    ...[...history, 'heads', 'snapshots'].flatMap((table) => [
      `update distilog.${table} set ${table === 'chunks' ? `sha256 = sha256` : `log_id = log_id`}`,
      `delete from distilog.${table}`,
      `truncate distilog.${table}`,
      `drop table distilog.${table}`,
      `alter table distilog.${table} disable trigger all`,
      `alter table distilog.${table} owner to current_user`,
    ]),
    `insert into distilog.events select * from distilog.events limit 1`,
    `insert into distilog.chunks values (sha256('x'), 'none', 1, 'x')`,
    `insert into distilog.commits select * from distilog.commits limit 1`,
    `insert into distilog.snapshots select * from distilog.snapshots limit 1`,
    `update distilog.snapshots set state = jsonb_set(state::jsonb, '{steps,sq,end}', '5')::text`,
    `insert into distilog.heads values ('x', 0, now(), 1, '')`,
    `merge into distilog.events e using distilog.heads h on false when not matched then insert (log_id) values (h.log_id)`,
    `copy distilog.events from program 'true'`,
    `select from distilog.heads for update`,
    `lock table distilog.heads in exclusive mode`,
    `create rule nothing as on insert to distilog.chunks do instead nothing`,
    `create trigger mine before insert on distilog.events for each row execute function distilog.refuse_change()`,
    `drop trigger append_only on distilog.events`,
    `drop index distilog.events_one_success`,
    `drop function distilog.append`,
    `alter function distilog.append owner to current_user`,
    `alter function distilog.append set search_path = pg_temp`,
    `alter table distilog.events add column more text`,
    `alter table distilog.events drop constraint events_pkey cascade`,
    `create function public.sha256(bytea) returns bytea language sql as 'select $1'`,
    `set session_replication_role = replica`,
    `set role distilog_owner`,
    `create or replace function distilog.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
    `drop schema distilog cascade`,
    `create function distilog.mine() returns int language sql as 'select 1'`,
  ];
  it.each(attacks)('may not %s', async (sql) => {
    expect(await refusal(database.app, sql)).toMatch(/^(42501|42704|22023)$/);
  });

  it('has exactly these rights, and public has none', async () => {
    const { rows } = await database.sql(`
      select coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody') || ': ' || string_agg(what || ' ' || lower(privilege_type), ', ' order by what, privilege_type) as may
        from (select nspname::text as what, nspacl as acl from pg_namespace where nspname = 'distilog'
              union all select relname, relacl from pg_class where relnamespace = 'distilog'::regnamespace and relkind in ('r', 'v')
              union all select proname, coalesce(proacl, acldefault('f', proowner)) from pg_proc where pronamespace = 'distilog'::regnamespace) as o,
             aclexplode(acl) as a
       where a.grantee <> a.grantor and what not like 'migration%'
       group by a.grantee order by 1`);
    expect((rows as { may: string }[]).map(({ may }) => may)).toEqual([
      'distilog_app: append execute, chunks select, commits select, create_run execute, distilog usage, events select, heads select, history select, position_at execute, snapshots select, store_chunks execute, store_snapshots execute, take_over execute',
    ]);
  });

  it('cannot redirect functions by its search path, because they set their own', async () => {
    const sql = `create temp table heads (log_id text, position bigint); set search_path = pg_temp, distilog, public;
      select distilog.append('${runId}', 99, 'x', null, 'w', array['RunPaused'], array[1], array[null::int], array[null::text], array[null::bigint], array[null::int], array[''], array['{}'], array[''::bytea])`;
    expect(await refusal(database.app, sql)).toBe('was let through');
    expect(await verify(store, runId)).toMatchObject({ ok: true });
  });
});

describe('the owner, by accident,', () => {
  const attacks = history.flatMap((table) => [
    `update distilog.${table} set ${table === 'chunks' ? `sha256 = sha256` : `log_id = log_id`}`,
    `delete from distilog.${table}`,
    `truncate distilog.${table} cascade`,
    `set session_replication_role = replica; delete from distilog.${table}`,
    `set session_replication_role = replica; truncate distilog.${table} cascade`,
  ]);
  it.each([...attacks, 'delete from distilog.heads', `update distilog.snapshots set state = ''`])('may not %s', async (sql) => {
    expect(await refusal(database.owner, sql)).toBe('42501');
  });
});
