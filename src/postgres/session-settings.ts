/**
 * Settings that determine what a statement means, how values are written, and what a transaction sees. Servers, databases and roles may have other
 * defaults. Sorted by name. Settings that a server does not know are skipped.
 */
const meanings: Readonly<Record<string, string>> = {
  array_nulls: 'on',
  backslash_quote: 'safe_encoding',
  bytea_output: 'hex',
  datestyle: 'ISO',
  default_transaction_isolation: 'read committed',
  exit_on_error: 'off',
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  quote_all_identifiers: 'off',
  restrict_nonsystem_relation_kind: '',
  row_security: 'on',
  standard_conforming_strings: 'on',
  timezone: 'UTC',
  transform_null_equals: 'off',
  xmlbinary: 'base64',
  xmloption: 'content',
};

/** SQL that makes statements mean the same on every server. The search path comes first, because the statement after it depends on it. */
export const meaningSettings: string = `set search_path = pg_catalog, pg_temp;
  select set_config(name, value, false) from (values ${Object.entries(meanings)
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', ')}) as s (name, value) where current_setting(name, true) is not null;`;

/** Returns SQL that makes commits durable and ends slow statements before their silence counts as a lost connection. */
export const sessionSettings = (silenceMs: number): string => `set synchronous_commit = on; set client_min_messages = warning;
  set lock_timeout = 0; set idle_session_timeout = 0; set idle_in_transaction_session_timeout = '60s';
  set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
  select set_config('transaction_timeout', '0', false) where current_setting('transaction_timeout', true) is not null;
  set statement_timeout = ${Math.ceil(silenceMs * 0.75)}`;
