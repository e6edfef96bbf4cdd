import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { pause } from '../kit/pause.ts';
import type { Connect } from './connect.ts';
import { clientConfig, openPool, prepare, whereabouts } from './connection.ts';
import type { Database } from './database.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';

/** Runs idempotent queries, which it retries while the server is down. */
export interface Reader {
  /** Returns the result of a query. Retries it while the server is down, up to a time limit. Throws `Fault`s. */
  query<T>(ask: (database: Kysely<Database>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Number of connections for reading and for storing chunks. */
const connectionsMax = 6;
/** Time that a server may be down before a query fails, and the pauses between retries. */
const patienceMs = 90_000;
const pauseMinMs = 50;
const pauseMaxMs = 1_000;

/** Opens a pool of connections to a server that may restart or move. */
export function openReader(connect: Connect): Reader {
  const pool = openPool({ ...clientConfig(connect, 'distilog'), max: connectionsMax, idleTimeoutMillis: 10_000 });
  pool.on('connect', (client) => {
    // Queued before the queries of the pool's user, on the same connection.
    prepare(client, connect).catch(() => undefined);
  });
  const database = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return {
    query: async (ask) => {
      const giveUpAt = Date.now() + patienceMs;
      for (let pauseMs = pauseMinMs; ; pauseMs = Math.min(pauseMaxMs, pauseMs * 2)) {
        try {
          return await ask(database);
        } catch (error) {
          if (!isConnectionLost(error) || Date.now() > giveUpAt) throw serverFault(error, whereabouts(new pg.Client(pool.options)));
        }
        await pause(pauseMs);
        Object.assign(pool.options, clientConfig(connect, 'distilog'));
      }
    },
    close: () => database.destroy(),
  };
}
