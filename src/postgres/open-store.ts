import { Fault, hasCode } from '../kit/fault.ts';
import { pause } from '../kit/pause.ts';
import { openEmbeddedStore, type Connection } from './embedded/index.ts';
import type { Connect } from './connect.ts';
import { migrate } from './migrate.ts';
import { openPostgresStore, type PostgresStore } from './postgres-store.ts';

export interface StoreOptions {
  /** The URL of a PostgreSQL server, if the user gave one. */
  readonly store?: string | undefined;
  /** The folder of the embedded store, which is used if no server is named. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Receives notes for the user. Default: `process.emitWarning`. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/** The location of a store and the logins for it. */
export interface StorePlace {
  readonly isEmbedded: boolean;
  /** The program's own login. */
  readonly connect: Connect;
  /** The login that migrations use: the embedded store's owner, else the program's. */
  readonly connectOwner: Connect;
  /** Drops the reference to an embedded server. */
  close(): void;
}

/** The option or variable that named a store, in order of precedence. */
export type GivenBy = '--store' | 'DISTILOG_STORE' | 'DATABASE_URL';

/** Returns the server that the user named and the option or variable that named it. Returns null if none did, so that the store is the folder's own. */
export function givenStore({ store, environment = process.env }: StoreOptions): { readonly url: string; readonly by: GivenBy } | null {
  const candidates = [
    ['--store', store],
    ['DISTILOG_STORE', nonEmpty(environment['DISTILOG_STORE'])],
    ['DATABASE_URL', nonEmpty(environment['DATABASE_URL'])],
  ] as const;
  for (const [by, url] of candidates) if (url !== undefined) return { url, by };
  return null;
}

/** Finds the store: `store`, DISTILOG_STORE or DATABASE_URL, in that order, else the embedded PostgreSQL in `.distilog/`, which it starts. */
export async function findStore({ store, folder, environment = process.env, notify }: StoreOptions): Promise<StorePlace> {
  const given = givenStore({ store, folder, environment });
  if (given) {
    const connect = parseUrl(given.url);
    return { isEmbedded: false, connect, connectOwner: connect, close: () => undefined };
  }
  const embedded = await openEmbeddedStore(folder, { notify });
  return {
    isEmbedded: true,
    connect: () => ({ ...embedded.app() }),
    connectOwner: () => ({ ...embedded.owner() }),
    close: () => embedded.close(),
  };
}

/** Longest wait for the embedded server to restart, and the pause between two attempts. */
const restartMs = 30_000;
const restartPauseMs = 100;

/** Runs `ask` on a store that may be down. Waits for an embedded server, which is restarted when it dies. Throws at once if another server does not answer. */
export async function whenUp<T>({ isEmbedded }: StorePlace, ask: () => Promise<T>): Promise<T> {
  const giveUpAt = isEmbedded ? Date.now() + restartMs : 0;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway = hasCode(error, 'store-unreachable') || hasCode(error, 'connection-lost');
      if (!isAway || Date.now() > giveUpAt) throw error;
    }
    await pause(restartPauseMs);
  }
}

/** Opens the store. Migrates an embedded store to this version's schema. Never changes the schema of another server. */
export async function openStore(options: StoreOptions): Promise<PostgresStore> {
  const place = await findStore(options);
  try {
    const opened = await whenUp(place, async () => {
      if (place.isEmbedded) await migrate(place.connectOwner);
      return openPostgresStore(place.connect);
    });
    return {
      ...opened,
      close: async () => {
        await opened.close();
        place.close();
      },
    };
  } catch (error) {
    place.close();
    throw error;
  }
}

/** Returns a connection as a URL for psql and other tools. */
export function urlOf({
  host,
  port,
  user,
  password,
  database,
}: Pick<Connection, 'host' | 'port' | 'user' | 'password' | 'database'>): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  if (!host.startsWith('/')) return `postgres://${login}@${host}:${port}/${database}`;
  return `postgres://${login}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

function parseUrl(text: string): Connect {
  let url: URL;
  try {
    // The URL of a socket has no host, which `URL` does not accept.
    url = new URL(text.replace(/^(postgres(?:ql)?:\/\/[^/@]*@)\//, '$1localhost/'));
  } catch {
    throw new Fault('not-a-store', 'The store is not a URL. Write postgres://user:password@host:port/database.');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new Fault(
      'not-a-store',
      `The store is a ${url.protocol.replace(':', '')} URL, but distilog keeps its log in PostgreSQL. Write postgres://user:password@host:port/database.`,
    );
  }
  return () => ({ connectionString: text });
}

const nonEmpty = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);
