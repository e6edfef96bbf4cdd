import type pg from 'pg';

/** Privileges of an admitted role, by object. Every other grant is more than the schema gives. */
const admitted: Readonly<Record<string, readonly string[]>> = {
  'schema distilog': ['USAGE'],
  ...Object.fromEntries(['heads', 'commits', 'events', 'chunks', 'snapshots', 'history'].map((name) => [name, ['SELECT']])),
  ...Object.fromEntries(
    ['append', 'take_over', 'create_run', 'position_at', 'store_chunks', 'store_snapshots'].map((name) => [
      `function ${name}`,
      ['EXECUTE'],
    ]),
  ),
};
/** Kysely's tables, which it creates before any grant. Reading them is harmless. */
const readable = new Set(['migrations', 'migration_lock']);

interface Grant {
  readonly object: string;
  readonly grantee: string;
  readonly privilege: string;
  readonly isGrantable: boolean;
}

/** Query for all grants in the schema to roles other than the owner, including the default grants of functions to every role. */
const grants = `
  select o.object, case a.grantee when 0 then 'everybody' else pg_get_userbyid(a.grantee) end as grantee, a.privilege_type as privilege, a.is_grantable as "isGrantable"
    from (select 'schema distilog' as object, nspacl as acl, nspowner as owner from pg_namespace where nspname = 'distilog'
          union all select relname, relacl, relowner from pg_class where relnamespace = 'distilog'::regnamespace and relkind not in ('c', 'i', 'I')
          union all select 'column ' || attname || ' of ' || relname, attacl, relowner from pg_attribute join pg_class c on c.oid = attrelid where relnamespace = 'distilog'::regnamespace and attacl is not null
          union all select 'function ' || proname, coalesce(proacl, acldefault('f', proowner)), proowner from pg_proc where pronamespace = 'distilog'::regnamespace) as o,
         aclexplode(o.acl) as a
   where a.grantee <> o.owner and a.grantee <> (select relowner from pg_class where oid = to_regclass('distilog.events'))
   order by 2, 1, 3`;

/** Describes grants that exceed those of an admitted role, and grants that an admitted role lacks. */
export async function findOtherGrants(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<Grant>(grants);
  const more = rows.flatMap(({ object, grantee, privilege, isGrantable }) => {
    const isGiven = admitted[object]?.includes(privilege) ?? (privilege === 'SELECT' && readable.has(object));
    if (grantee === 'everybody' || !isGiven) return [`${grantee} may ${privilege} on ${object}`];
    return isGrantable ? [`${grantee} may grant ${privilege} on ${object} to others`] : [];
  });
  // A role without usage of the schema was excluded on purpose.
  const may = (object: string) => new Set(rows.filter((row) => row.object === object).map(({ grantee }) => grantee));
  const writers = new Set([...may('function append')].filter((role) => may('schema distilog').has(role)));
  const fewer = [...writers].flatMap((role) =>
    Object.entries(admitted).flatMap(([object, privileges]) =>
      privileges
        .filter((privilege) => !rows.some((row) => row.grantee === role && row.object === object && row.privilege === privilege))
        .map((privilege) => `${role} may not ${privilege} on ${object}, though it may append`),
    ),
  );
  return [...more, ...(writers.has('everybody') ? [] : fewer)];
}
