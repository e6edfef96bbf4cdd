import { Fault, hasCode } from '../kit/fault.ts';
import { pause } from '../kit/pause.ts';
import { openEmbeddedStore, type Connection } from './embedded/index.ts';
import type { Connect } from './connect.ts';
import { migrate } from './migrate.ts';
import { openPostgresStore, type PostgresStore } from './postgres-store.ts';

export interface StoreOptions {
  /** The URL of a PostgreSQL server, if somebody gave one. */
  readonly store?: string | undefined;
  /** Where the embedded store is, if nobody names a server. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Receives sentences that the user should read and that change nothing; without it, they are warnings of the process. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/** Where a store is and how to reach it. */
export interface StorePlace {
  readonly isEmbedded: boolean;
  /** The program's own login. */
  readonly connect: Connect;
  /** The login that migrations use: the embedded store's owner, else the program's. */
  readonly connectOwner: Connect;
  /** Drops the reference to an embedded server. */
  close(): void;
}

/** What may name a store, in the order in which it counts. */
export type GivenBy = '--store' | 'DISTILOG_STORE' | 'DATABASE_URL';

/** The server that somebody named, and by what; null: the store is the folder's own. */
export function givenStore({ store, environment = process.env }: StoreOptions): { readonly url: string; readonly by: GivenBy } | null {
  const candidates = [
    ['--store', store],
    ['DISTILOG_STORE', nonEmpty(environment['DISTILOG_STORE'])],
    ['DATABASE_URL', nonEmpty(environment['DATABASE_URL'])],
  ] as const;
  for (const [by, url] of candidates) if (url !== undefined) return { url, by };
  return null;
}

/** Finds the store: `store`, DISTILOG_STORE, DATABASE_URL, in that order; else a PostgreSQL of its own under `.distilog/`, which is started. */
export async function findStore({ store, folder, environment = process.env, notify }: StoreOptions): Promise<StorePlace> {
  const given = givenStore({ store, folder, environment });
  if (given) {
    const connect = fromUrl(given.url);
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

/** How long the folder's own server may take to be up again, and the pause between two looks. */
const restartMs = 30_000;
const restartPauseMs = 100;

/** Asks a store that may be away: the folder's own server is started again when it dies, and waited for; of another's that does not answer the caller hears at once. */
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

/** Opens the store. One that is the program's own is brought to this version's schema by itself; another's is never changed unasked. */
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

/** A connection as a URL that psql and others take. */
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

function fromUrl(text: string): Connect {
  let url: URL;
  try {
    // A socket's URL has no host, which URL does not take.
    url = new URL(text.replace(/^(postgres(?:ql)?:\/\/[^/@]*@)\//, '$1localhost/'));
  } catch {
    throw new Fault('not-a-store', 'The store is not a URL: give postgres://user:password@host:port/database.');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new Fault(
      'not-a-store',
      `The store is a ${url.protocol.replace(':', '')} URL: distilog keeps its log in PostgreSQL, postgres://user:password@host:port/database.`,
    );
  }
  return () => ({ connectionString: text });
}

const nonEmpty = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);
