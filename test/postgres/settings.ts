import type pg from 'pg';

/** A default that a database may set for its sessions. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

interface SettingRow {
  readonly name: string;
  readonly category: string;
  readonly vartype: string;
  readonly setting: string;
  readonly enumvals: readonly string[] | null;
}

/** Categories whose settings decide on speed, resources, logging and time-outs, and never on the meaning of a statement. */
const withoutMeaning =
  /^(Reporting and Logging|Resource Usage|Statistics|Vacuuming|Query Tuning \/ (Planner Cost Constants|Genetic Query Optimizer)|Connections and Authentication|Replication|Lock Management|Client Connection Defaults \/ Shared Library Preloading|Client Connection Defaults \/ Other Defaults|Write-Ahead Log)/;

/** Settings of the other categories that cannot change what our statements mean, each with the reason. */
const exempt: Readonly<Record<string, string>> = {
  allow_in_place_tablespaces: 'of a developer of PostgreSQL',
  allow_system_table_mods: 'allows what no program here does',
  backtrace_functions: 'of a developer of PostgreSQL',
  client_min_messages: 'says what is shown',
  createrole_self_grant: 'no program here creates roles as such a user',
  cursor_tuple_fraction: 'an estimate',
  debug_discard_caches: 'takes minutes per run',
  debug_logical_replication_streaming: 'nothing is replicated',
  default_statistics_target: 'an estimate',
  default_table_access_method: 'there is one',
  default_tablespace: 'where, not what',
  default_transaction_read_only: 'a server that takes no writes is refused when it is opened',
  from_collapse_limit: 'how long the planner searches',
  gin_fuzzy_search_limit: 'there is no such index',
  gin_pending_list_limit: 'there is no such index',
  icu_validation_level: 'of statements that create collations',
  idle_in_transaction_session_timeout: 'how long',
  idle_session_timeout: 'how long',
  ignore_checksum_failure: 'of damaged disks',
  ignore_system_indexes: 'how fast',
  jit_debugging_support: 'of a developer of PostgreSQL',
  jit_dump_bitcode: 'writes files',
  jit_profiling_support: 'of a developer of PostgreSQL',
  join_collapse_limit: 'how long the planner searches',
  lock_timeout: 'how long',
  post_auth_delay: 'how long',
  recursive_worktable_factor: 'an estimate',
  statement_timeout: 'how long',
  temp_tablespaces: 'where, not what',
  trace_notify: 'what is logged',
  trace_sort: 'what is logged',
  transaction_deferrable: 'of one transaction',
  transaction_isolation: 'of one transaction',
  transaction_read_only: 'of one transaction',
  transaction_timeout: 'how long',
  wal_consistency_checking: 'of a developer of PostgreSQL',
  zero_damaged_pages: 'of damaged disks',
};

/** Values to try of settings that are neither booleans nor enums. */
const values: Readonly<Record<string, readonly string[]>> = {
  DateStyle: ['SQL, DMY', 'German, DMY', 'Postgres, MDY'],
  TimeZone: ['America/St_Johns', 'Asia/Kolkata'],
  client_encoding: ['SQL_ASCII', 'LATIN1', 'EUC_JP'],
  default_text_search_config: ['pg_catalog.german'],
  extra_float_digits: ['-15', '3'],
  lc_messages: ['C.UTF-8'],
  lc_monetary: ['C.UTF-8'],
  lc_numeric: ['C.UTF-8'],
  lc_time: ['C.UTF-8'],
  'plpgsql.extra_errors': ['all'],
  'plpgsql.extra_warnings': ['all'],
  restrict_nonsystem_relation_kind: ['view, foreign-table'],
  search_path: ['in_front, pg_catalog, distilog', ''],
  timezone_abbreviations: ['India'],
};

/** Synchronous commit decides what is durable, so it is tried although its category is excluded. */
const synchronous: readonly Setting[] = [{ name: 'synchronous_commit', value: 'off' }];

/** SQL that creates functions and operators, which a search path with `in_front` finds before PostgreSQL's own. */
export const inFront = `create schema in_front; grant usage on schema in_front to public;
  create function in_front.sha256(bytea) returns bytea language sql as 'select ''\\x00''::bytea';
  create function in_front.encode(bytea, text) returns text language sql as 'select ''00''::text';
  create function in_front.convert_to(text, name) returns bytea language sql as 'select ''\\x00''::bytea';
  create function in_front.octet_length(text) returns int language sql as 'select 1';
  create function in_front.hashtextextended(text, bigint) returns bigint language sql as 'select 1::bigint';
  create function in_front.clock_timestamp() returns timestamptz language sql as 'select ''epoch''::timestamptz';
  create function in_front.differs(text, text) returns boolean language sql as 'select true';
  create operator in_front.<> (function = in_front.differs, leftarg = text, rightarg = text)`;

/** Settings that are tried together, with a title. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}

/**
 * Returns every setting that a database of this server may set for its sessions and that may change what a statement means, with the values to try.
 * Settings that choose a plan also choose the order of rows without an ORDER BY. They are tried together.
 */
export async function meaningfulSettings(sql: (text: string) => Promise<pg.QueryResult>): Promise<readonly SettingGroup[]> {
  const { rows } = await sql(
    `select name, category, vartype, setting, enumvals from pg_settings where context in ('user', 'superuser', 'backend', 'superuser-backend') order by name`,
  );
  const chosen = (rows as readonly SettingRow[]).filter(({ name, category }) => !withoutMeaning.test(category) && !(name in exempt));
  const tried = (ofPlans: boolean): readonly Setting[] =>
    chosen
      .filter(({ category }) => (category === 'Query Tuning / Planner Method Configuration') === ofPlans)
      .flatMap((row) => valuesOf(row).map((value) => ({ name: row.name, value })));
  return [
    { title: 'every planner setting reversed', settings: tried(true) },
    ...[...tried(false), ...synchronous].map((setting) => ({ title: `${setting.name} = ${setting.value}`, settings: [setting] })),
  ];
}

function valuesOf({ name, vartype, setting, enumvals }: SettingRow): readonly string[] {
  if (vartype === 'bool') return [setting === 'on' ? 'off' : 'on'];
  const others = values[name] ?? enumvals?.filter((value) => value !== setting);
  if (!others) throw new Error(`setting ${name} is not classified. Add it to the exempt settings, or add values to try.`);
  return others;
}
