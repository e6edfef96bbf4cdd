import type { Socket } from 'node:net';
import pg from 'pg';
import { Fault } from '../kit/fault.ts';
import { describe, serverFault, type Whereabouts } from './server-faults.ts';

/**
 * How to reach a server; asked for anew for each connection, because an embedded server moves when another process starts it again. Its `query_timeout`
 * says how long a server that owes an answer may be silent before the connection counts as lost; a minute without it.
 */
export type Connect = () => pg.ClientConfig;

const oidInt8 = 20;
const oidTimestamptz = 1184;
const oidByteaArray = 1001;
const connectTimeoutMaxMs = 10_000;
const silenceDefaultMs = 60_000;
/** When TCP begins to ask whether the other side of an idle connection is still there. The server asks by `tcp_keepalives_idle`. */
const keepAliveAfterMs = 15_000;

// For our own connections only: parsers that are set on `pg` itself would change other people's.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') => {
    if (oid === oidInt8) return (text: string) => Number(text);
    if (oid === oidTimestamptz) return timestamp;
    if (oid === oidByteaArray) return hexadecimals;
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** `2026-11-24 09:30:00.5+00` as `2026-11-24T09:30:00.500000Z`. The session is in UTC. */
function timestamp(text: string): string {
  const [date = '', rest = ''] = text.split(' ');
  const [time = '', fraction = ''] = rest.replace(/[+-]\d\d(:?\d\d)?$/, '').split('.');
  return `${date}T${time}.${fraction.padEnd(6, '0')}Z`;
}

/** `{"\\\\x00ff","\\\\x01"}` as `00ff` and `01`: addresses are texts everywhere else, and are read a thousand times as often as anything. */
const hexadecimals = (text: string): readonly string[] => text.match(/[0-9a-f]+/g) ?? [];

/** What `pg` needs to connect: the caller's place, our parsers, and settings that do not depend on the server's. */
export function clientConfig(connect: Connect, applicationName: string): pg.ClientConfig {
  // pg's own way with query_timeout leaves the connection waiting for the answer, and whatever is asked next behind it.
  const { query_timeout: _ours, ...config } = connect();
  return {
    ...config,
    types,
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    connectionTimeoutMillis: Math.min(connectTimeoutMaxMs, silenceMsOf(connect)),
  };
}

const silenceMsOf = (connect: Connect): number => connect().query_timeout ?? silenceDefaultMs;

/** Sets a connection that stands up for our queries; resolves when it is. */
export async function prepare(client: pg.ClientBase, connect: Connect): Promise<void> {
  const silenceMs = silenceMsOf(connect);
  endWhenSilent(client, silenceMs);
  // In one piece: whatever a pool's user asks for comes behind it.
  await client.query(`${meaningSettings} ${sessionSettings(silenceMs)}`);
}

/** What of a client pg does not put in its types. */
interface ClientInside {
  readonly connection: { readonly stream: Socket };
  /** Whether no answer is due. */
  readonly readyForQuery: boolean | null;
}

/** Cuts a connection whose server owes an answer, or a goodbye, and is silent: half-open, it would never tell. An idle one may be silent for ever. */
function endWhenSilent(client: pg.ClientBase, silenceMs: number): void {
  const inside = client as unknown as ClientInside;
  const { stream } = inside.connection;
  stream.setTimeout(silenceMs);
  stream.on('timeout', () => {
    if (inside.readyForQuery && !stream.writableEnded) return;
    stream.destroy(Object.assign(new Error(`no answer for ${silenceMs / 1_000} s`), { code: 'ETIMEDOUT' }));
  });
}

/**
 * Settings that decide what a statement means, how values are written, and what a transaction sees. A server, a database or a role may have others as its
 * defaults, and every statement of this program would be read by those. Alphabetically; a server that does not know one does without.
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

/** SQL that sets a connection so that statements mean the same on every server. The path comes first: what it names sets the others. */
export const meaningSettings: string = `set search_path = pg_catalog, pg_temp;
  select set_config(name, value, false) from (values ${Object.entries(meanings)
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', ')}) as s (name, value) where current_setting(name, true) is not null;`;

/** What else every connection is set to: what it acknowledges is durable, and a statement that takes too long ends before its silence counts as loss. */
const sessionSettings = (silenceMs: number): string => `set synchronous_commit = on; set client_min_messages = warning;
  set lock_timeout = 0; set idle_session_timeout = 0; set idle_in_transaction_session_timeout = '60s';
  set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
  select set_config('transaction_timeout', '0', false) where current_setting('transaction_timeout', true) is not null;
  set statement_timeout = ${Math.ceil(silenceMs * 0.75)}`;

/** A pool of connections that may break: without listeners, one that does would end the process, whether it is idle or somebody has it. */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** A connection of its own, set up. Throws `Fault`s that say what is wrong. */
export async function openClient(connect: Connect, applicationName: string): Promise<pg.Client> {
  const config = clientConfig(connect, applicationName);
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks while idle would end the process; the next query tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await prepare(client, connect);
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw unreachable(serverFault(error, whereabouts(client)));
  }
}

/** Does something on a connection of its own. What goes wrong meanwhile, the connection's end included, is a `Fault`. */
export async function onClient<T>(connect: Connect, applicationName: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openClient(connect, applicationName);
  try {
    return await work(client);
  } catch (error) {
    throw serverFault(error, whereabouts(client));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A connection that never stood is another matter than one that broke: nothing was under way on it. */
export const unreachable = (fault: Fault): Fault =>
  fault.code === 'connection-lost'
    ? new Fault('store-unreachable', `${fault.message}. Is it running there? --store names another server.`, { cause: fault.cause })
    : fault;

/** Where a client is connected to. */
export const whereabouts = (client: pg.Client): Whereabouts => ({
  host: client.host,
  port: client.port,
  database: client.database,
  user: client.user,
});

/** Major version below which nothing was tried. */
const oldestServer = 150_000;

/** Refuses a server that cannot keep what it acknowledges, or is too old. */
export async function checkServer(client: pg.Client): Promise<{ readonly version: string }> {
  const place = describe(whereabouts(client));
  const { rows } = await client.query<{
    fsync: string;
    number: string;
    version: string;
    encoding: string;
    standby: boolean;
    readonly: string;
  }>(
    `select current_setting('fsync') as fsync, current_setting('server_version_num') as number, current_setting('server_version') as version,
            current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
            current_setting('default_transaction_read_only') as readonly`,
  );
  const [server] = rows;
  if (!server) throw new Fault('database-error', `PostgreSQL at ${place} does not tell its settings.`);
  if (Number(server.number) < oldestServer)
    throw new Fault('server-too-old', `PostgreSQL at ${place} is ${server.version}: distilog needs 15 or newer.`);
  if (server.fsync !== 'on') {
    throw new Fault(
      'fsync-off',
      `PostgreSQL at ${place} runs with fsync = off: what it acknowledges it may lose. Switch it on, or name another store.`,
    );
  }
  if (server.encoding !== 'UTF8') {
    throw new Fault(
      'not-utf8',
      `The database at ${place} stores text as ${server.encoding}, which cannot hold every row: create one with encoding 'UTF8', or name another.`,
    );
  }
  if (server.standby || server.readonly === 'on') {
    throw new Fault('read-only', `PostgreSQL at ${place} is read-only${server.standby ? ' (a standby)' : ''}: name one that takes writes.`);
  }
  return { version: server.version };
}
