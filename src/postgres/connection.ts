import type { Socket } from 'node:net';
import pg from 'pg';
import { Fault } from '../kit/fault.ts';
import type { Connect } from './connect.ts';
import { serverFault, type Whereabouts } from './server-faults.ts';
import { meaningSettings, sessionSettings } from './session-settings.ts';

const oidInt8 = 20;
const oidTimestamptz = 1184;
const oidByteaArray = 1001;
const connectTimeoutMaxMs = 10_000;
const silenceDefaultMs = 60_000;
/** Time after which TCP probes an idle connection. The server probes after `tcp_keepalives_idle`. */
const keepAliveAfterMs = 15_000;

// Set on our own connections only, because parsers set on `pg` itself would affect other users of `pg` in this process.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') => {
    if (oid === oidInt8) return (text: string) => Number(text);
    if (oid === oidTimestamptz) return parseTimestamp;
    if (oid === oidByteaArray) return parseByteaArray;
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** Converts `2026-11-24 09:30:00.5+00` to `2026-11-24T09:30:00.500000Z`. The session is in UTC. */
function parseTimestamp(text: string): string {
  const [date = '', rest = ''] = text.split(' ');
  const [time = '', fraction = ''] = rest.replace(/[+-]\d\d(:?\d\d)?$/, '').split('.');
  return `${date}T${time}.${fraction.padEnd(6, '0')}Z`;
}

/** `{"\\\\x00ff","\\\\x01"}` to `00ff` and `01`, because addresses are texts everywhere else. Fast, because addresses are read a thousand times as often as other arrays. */
const parseByteaArray = (text: string): readonly string[] => text.match(/[0-9a-f]+/g) ?? [];

/** Returns the configuration for `pg`: the caller's server, our parsers, and settings that do not depend on the server's defaults. */
export function clientConfig(connect: Connect, applicationName: string): pg.ClientConfig {
  // After its own query_timeout, pg leaves the connection waiting for the answer, and later queries wait behind it.
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

/** Prepares an open connection for our queries: applies the session's settings. */
export async function prepare(client: pg.ClientBase, connect: Connect): Promise<void> {
  const silenceMs = silenceMsOf(connect);
  endWhenSilent(client, silenceMs);
  // In one statement, so that a pool's user cannot run a query before all settings apply.
  await client.query(`${meaningSettings} ${sessionSettings(silenceMs)}`);
}

/** Members of a client that the types of pg lack. */
interface ClientInside {
  readonly connection: { readonly stream: Socket };
  /** Whether the client awaits no answer. */
  readonly readyForQuery: boolean | null;
}

/** Closes a connection whose server does not answer a request in time, because a half-open connection reports no error. Idle connections stay open. */
function endWhenSilent(client: pg.ClientBase, silenceMs: number): void {
  const inside = client as unknown as ClientInside;
  const { stream } = inside.connection;
  stream.setTimeout(silenceMs);
  stream.on('timeout', () => {
    if (inside.readyForQuery && !stream.writableEnded) return;
    stream.destroy(Object.assign(new Error(`no answer for ${silenceMs / 1_000} s`), { code: 'ETIMEDOUT' }));
  });
}

/** Opens a pool whose connections may break. Without error listeners a broken connection would end the process, whether it is idle or in use. */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Opens and prepares a separate connection. Throws `Fault`s with the cause. */
export async function openClient(connect: Connect, applicationName: string): Promise<pg.Client> {
  const config = clientConfig(connect, applicationName);
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks while idle would end the process. The next query reports the error.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await prepare(client, connect);
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw unreachableFault(serverFault(error, whereabouts(client)));
  }
}

/** Runs `work` on a separate connection. Every error meanwhile, including a lost connection, becomes a `Fault`. */
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

/** Returns the fault of a connection that never opened. Unlike a broken connection, it leaves no outcome unknown. */
export const unreachableFault = (fault: Fault): Fault =>
  fault.code === 'connection-lost'
    ? new Fault('store-unreachable', `${fault.message}. Start the server, or name another one with --store.`, { cause: fault.cause })
    : fault;

/** Returns where a client is connected to. */
export const whereabouts = (client: pg.Client): Whereabouts => ({
  host: client.host,
  port: client.port,
  database: client.database,
  user: client.user,
});
