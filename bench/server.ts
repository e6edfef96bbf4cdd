import pg from 'pg';
import { migrate, openPostgresStore, type Connect, type PostgresStore } from '../src/postgres/index.ts';
import { ownServer } from '../test/postgres/own-server.ts';

/** The PostgreSQL server that all contestants are measured on: durable, with the settings of the embedded server, on TCP and on a socket. */
export interface BenchServer {
  /** Creates an empty database for one contestant in one round. It is dropped with the server. */
  database(name: string): Promise<BenchDatabase>;
  /** Returns the settings that decide speed and durability, for the report. */
  settings(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

export interface BenchDatabase {
  readonly connect: Connect;
  /** Address over TCP, for contestants that need one. */
  readonly url: string;
  /** Opens a migrated distilog store. It is closed when the database is dropped. */
  store(): Promise<PostgresStore>;
  sql(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** Drops the database, so that rounds do not fill the disk. */
  drop(): Promise<void>;
}

const reported = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'shared_buffers',
  'max_wal_size',
  'jit',
];

/** Contestants without a pool open one connection for each of up to 64 callers. The embedded server allows 60. */
const connectionsMax = 120;

export async function openBenchServer(): Promise<BenchServer> {
  const server = await ownServer({ isOnTcp: true });
  await server.sql(`alter system set max_connections = ${connectionsMax}`);
  await server.stop('fast');
  await server.start();
  let databases = 0;
  return {
    database: async (name) => {
      const database = `${name.replaceAll(/\W/g, '_').toLowerCase()}_${databases++}`;
      await server.sql(`create database ${database} template template0`);
      const connect: Connect = () => ({ host: '127.0.0.1', port: server.port, user: 'postgres', database });
      const opened: PostgresStore[] = [];
      return {
        connect,
        url: `postgres://postgres@127.0.0.1:${server.port}/${database}`,
        store: async () => {
          await migrate(connect);
          const store = await openPostgresStore(connect);
          opened.push(store);
          return store;
        },
        sql: async (text, values = []) => {
          const client = new pg.Client(connect());
          await client.connect();
          try {
            return await client.query(text, [...values]);
          } finally {
            await client.end();
          }
        },
        drop: async () => {
          for (const store of opened) await store.close();
          await server.sql(`drop database ${database} with (force)`);
        },
      };
    },
    settings: async () => {
      const { rows } = await server.sql('select name, current_setting(name) as value from pg_settings where name = any($1)', [reported]);
      return Object.fromEntries((rows as readonly { name: string; value: string }[]).map(({ name, value }) => [name, value]));
    },
    close: () => server.remove(),
  };
}
