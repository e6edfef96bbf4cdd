import type pg from 'pg';
import { Fault } from '../kit/fault.ts';

/**
 * Throws for a login with rights beyond the database, so that no user statement runs with them. A read-only transaction only prevents changes to tables: a
 * superuser can still read files of the server, and a statement can reset a role that was set for it. So the login counts, with every role that it may set.
 */
export async function refusePrivilegedLogin(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ login: string; reason: string }>(privileges);
  const [found] = rows;
  if (!found) return;
  throw new Fault(
    'login-too-powerful',
    `The command sql runs no statement as ${found.login}, which ${found.reason}, because the statement could read files of the server or act outside of this store. ` +
      "Log in as a role that may only read. An administrator makes one with: create role distilog_reader login password '…'; " +
      'grant usage on schema distilog to distilog_reader; grant select on all tables in schema distilog to distilog_reader.',
    { details: { login: found.login } },
  );
}

/** Functions of PostgreSQL that read, write or list files of the server. An administrator may have granted them. */
const fileFunctions = `^(pg_read_file|pg_read_binary_file|pg_stat_file|pg_ls_dir|lo_import|lo_export|pg_file_.*)$`;

/** Query for the most serious reason why the login has rights beyond the database. Returns no row if there is none. */
const privileges = `
  with login as (select oid, rolname from pg_roles where rolname = session_user),
       role as (select r.* from pg_roles r, login where pg_has_role(login.oid, r.oid, 'member')),
       callable as (
         select p.oid
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
           left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
           left join pg_extension e on e.oid = d.refobjid
          where (n.nspname = 'pg_catalog' and p.proname ~ '${fileFunctions}' and not has_function_privilege('public', p.oid, 'execute'))
             or e.extname = 'dblink' or (not l.lanpltrusted and l.lanname not in ('c', 'internal')))
  select login.rolname as login, reason
    from login, lateral (
      select 1 as rank, case when role.oid = login.oid then 'is a superuser' else 'may become the superuser ' || role.rolname end as reason
        from role where role.rolsuper
      union all
      select 2, 'has the rights of ' || role.rolname from role
       where role.rolname in ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
      union all
      select 3, 'may replicate the server' from role where role.rolreplication
      union all
      select 4, 'may call ' || callable.oid::regprocedure from callable
       where exists (select from role where has_function_privilege(role.oid, callable.oid, 'execute'))) as found
   order by rank limit 1`;
