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
