import type pg from 'pg';

/** Facts about schema `distilog`, by object and then by property. Texts of functions and views are hashes. */
export type SchemaFacts = Readonly<Record<string, Readonly<Record<string, string>>>>;

const inSchema = `'distilog'::regnamespace`;
const yesNoSql = (condition: string): string => `case when ${condition} then 'yes' else 'no' end`;
/** Returns SQL that hashes a long text without its line breaks, which depend on the server's version. */
const hashSql = (text: string): string => `encode(sha256(convert_to(regexp_replace(${text}, '\\s+', ' ', 'g'), 'UTF8')), 'hex')`;
/** Returns SQL for an object's owner. The owner of the log is not named, because its name differs between servers. */
const ownerSql = (owner: string): string => `case when ${owner} = log.owner then 'the log''s' else pg_get_userbyid(${owner}) end`;
const log = `(select relowner as owner from pg_class where oid = to_regclass('distilog.events')) as log`;
/** Text of a view without table prefixes, which PostgreSQL 15 writes before columns. */
const viewText = `replace(replace(pg_get_viewdef(c.oid), 'events.', ''), '(data)', 'data')`;

/** One select per kind of object: its name with its properties and facts. */
const selects: readonly string[] = [
  `select case c.relkind when 'r' then 'table ' when 'v' then 'view ' when 'c' then 'type ' else 'relation ' end || c.relname, f.* from pg_class c, ${log}, lateral (values
      ('kind', c.relkind::text), ('persistence', c.relpersistence::text), ('options', coalesce(c.reloptions::text, '')), ('owner', ${ownerSql('c.relowner')}),
      ('row security', ${yesNoSql('c.relrowsecurity')} || ' ' || ${yesNoSql('c.relforcerowsecurity')}),
      ('heirs', coalesce((select string_agg(i.inhrelid::regclass::text, ', ' order by i.inhrelid::regclass::text) from pg_inherits i where i.inhparent = c.oid), '')),
      ('text', case when c.relkind in ('v', 'm') then ${hashSql(viewText)} else '' end)) as f (what, fact)
    where c.relnamespace = ${inSchema} and c.relkind not in ('i', 'I', 't')`,
  `select case c.relkind when 'r' then 'table ' when 'v' then 'view ' when 'c' then 'type ' else 'relation ' end || c.relname, 'column ' || a.attname,
      concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end, 'default ' || pg_get_expr(d.adbin, d.adrelid),
        case when l.collname <> 'default' then 'collate ' || l.collname end, nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), a.attstorage::text, nullif(a.attcompression::text, ''))
    from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum left join pg_collation l on l.oid = a.attcollation
    where c.relnamespace = ${inSchema} and c.relkind not in ('i', 'I', 't') and a.attnum > 0 and not a.attisdropped`,
  // PostgreSQL 18 also lists each not null as a constraint. The facts of columns contain it.
  `select o.conname, f.* from pg_constraint o, lateral (values ('definition', coalesce(o.conrelid::regclass::text, '') || ' ' || pg_get_constraintdef(o.oid)), ('validated', ${yesNoSql('o.convalidated')})) as f (what, fact)
    where o.connamespace = ${inSchema} and o.contype <> 'n'`,
  `select c.relname, f.* from pg_index i join pg_class c on c.oid = i.indexrelid, lateral (values
      ('index', pg_get_indexdef(c.oid)), ('valid', ${yesNoSql('i.indisvalid and i.indisready and i.indislive and i.indimmediate')})) as f (what, fact)
    where c.relnamespace = ${inSchema}`,
  `select c.relname || '.' || t.tgname, f.* from pg_trigger t join pg_class c on c.oid = t.tgrelid, lateral (values
      ('definition', pg_get_triggerdef(t.oid)), ('fires', case t.tgenabled when 'A' then 'always' when 'O' then 'unless replicating' when 'D' then 'never' else 'when replicating' end)) as f (what, fact)
    where c.relnamespace = ${inSchema} and not t.tgisinternal`,
  `select 'rule ' || r.rulename || ' of ' || c.relname, f.* from pg_rewrite r join pg_class c on c.oid = r.ev_class, lateral (values
      ('definition', pg_get_ruledef(r.oid)), ('fires', r.ev_enabled::text)) as f (what, fact)
    where c.relnamespace = ${inSchema} and not (r.rulename = '_RETURN' and c.relkind = 'v' and r.ev_enabled = 'O')`,
  `select 'policy ' || p.polname || ' of ' || c.relname, 'definition', concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = ${inSchema}`,
  `select 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', f.* from pg_proc p join pg_language l on l.oid = p.prolang, ${log}, lateral (values
      ('kind', p.prokind::text), ('language', l.lanname), ('arguments', pg_get_function_arguments(p.oid)), ('result', coalesce(pg_get_function_result(p.oid), '')), ('volatility', p.provolatile::text),
      ('parallel', p.proparallel::text), ('strict', ${yesNoSql('p.proisstrict')}), ('leakproof', ${yesNoSql('p.proleakproof')}), ('security definer', ${yesNoSql('p.prosecdef')}),
      ('cost', p.procost || ' ' || p.prorows), ('support', p.prosupport::text), ('settings', coalesce(array_to_string(p.proconfig, '; '), '')), ('owner', ${ownerSql('p.proowner')}),
      ('text', ${hashSql(`p.prosrc || coalesce(pg_get_function_sqlbody(p.oid), '')`)})) as f (what, fact)
    where p.pronamespace = ${inSchema}`,
  `select 'type ' || t.typname, 'kind', t.typtype::text from pg_type t where t.typnamespace = ${inSchema} and t.typrelid = 0 and t.typelem = 0`,
  `select 'operator ' || o.oid::regoperator, 'function', o.oprcode::text from pg_operator o where o.oprnamespace = ${inSchema}`,
  `select 'collation ' || c.collname, 'kind', c.collprovider::text from pg_collation c where c.collnamespace = ${inSchema}`,
  `select 'default privileges of ' || pg_get_userbyid(d.defaclrole), d.defaclobjtype::text, d.defaclacl::text from pg_default_acl d where d.defaclnamespace = ${inSchema}`,
];

/** Reads the facts of schema `distilog`. The connection must be prepared, because PostgreSQL formats definitions by its settings. */
export async function readSchemaFacts(client: pg.ClientBase): Promise<SchemaFacts> {
  const facts: Record<string, Record<string, string>> = {};
  for (const text of selects) {
    const { rows } = await client.query<[string, string, string]>({ text, rowMode: 'array' });
    for (const [object, what, fact] of rows) (facts[object] ??= {})[what] = fact;
  }
  return facts;
}
