import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate, openEmbeddedStore, openPostgresStore, stopEmbeddedStore, type PostgresStore } from '../../../src/postgres/index.ts';
import { patientPool } from '../../embedded/patient-pool.ts';
import { readyPostmaster, signal } from '../../embedded/processes.ts';

/** A folder with a server of its own, which stays up while one run after the other is attacked in it. */
export interface Arena {
  readonly folder: string;
  readonly store: PostgresStore;
  /** Rows of a query by the owner, asked again while the server is away. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Stops PostgreSQL at once, as a power cut would; its supervisor starts it again. Whether there was one to be stopped. */
  stopServer(): boolean;
  /** A connection as the server's owner. */
  owner(): pg.ClientConfig;
  /** Stops everything; removes the folder, unless it is to be looked at. */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}

/** An empty folder in which pipelines of this project can be run. */
export function makeFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-storm-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** Makes a folder and starts its server. */
export async function openArena(folder = makeFolder()): Promise<Arena> {
  const embedded = await openEmbeddedStore(folder);
  const owner = () => ({ ...embedded.owner() });
  await migrate(owner);
  const store = await openPostgresStore(() => ({ ...embedded.app() }));
  const pool = patientPool(embedded, 2);
  return {
    folder,
    store,
    owner,
    sql: async (text, values) => (await pool.query(text, values)).rows,
    stopServer: () => {
      const postmaster = readyPostmaster(folder);
      // Process 0 would be everybody in our own group.
      return postmaster > 0 && signal(postmaster, 'SIGQUIT');
    },
    close: async ({ keep = false } = {}) => {
      await store.close();
      await pool.end();
      embedded.close();
      await stopEmbeddedStore(folder, { force: true });
      if (!keep) fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
