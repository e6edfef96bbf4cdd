import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedStore } from '../../src/postgres/index.ts';

const retryMs = 30;

/** A pool that outlives its server: after each error it asks the store where the server is now, and tries again. */
export interface PatientPool {
  query(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  end(): Promise<void>;
}

export function patientPool(store: EmbeddedStore, max: number): PatientPool {
  const pool = new pg.Pool({ ...store.owner(), max, connectionTimeoutMillis: 10_000 });
  // An idle connection whose server was killed: the next query finds out.
  pool.on('error', () => undefined);
  return {
    query: async (sql, values = []) => {
      for (;;) {
        try {
          return await pool.query(sql, [...values]);
        } catch {
          await sleep(retryMs);
          Object.assign(pool.options, store.owner());
        }
      }
    },
    end: () => pool.end(),
  };
}
