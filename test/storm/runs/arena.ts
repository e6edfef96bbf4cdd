import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate, openEmbeddedStore, openPostgresStore, stopEmbeddedStore, type PostgresStore } from '../../../src/postgres/index.ts';
import { patientPool } from '../../embedded/patient-pool.ts';
import { readyPostmaster, signal } from '../../embedded/processes.ts';

/** A folder with its own server, which stays up while runs are attacked in it one after the other. */
export interface Arena {
  readonly folder: string;
  readonly store: PostgresStore;
  /** Returns the rows of a query by the owner. Retries while the server is away. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Stops PostgreSQL immediately, as a power cut would. Its supervisor starts it again. Returns whether there was one to stop. */
  stopServer(): boolean;
  /** Returns how to connect as the server's owner. */
  owner(): pg.ClientConfig;
  /** Stops everything and removes the folder, unless it is kept for inspection. */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}

/** Creates an empty folder in which pipelines of this project can run. */
export function makeFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-storm-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** Creates a folder and starts its server. */
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
      // Process 0 would be every process of our own group.
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
