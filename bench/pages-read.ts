import { openPostgresStore, type PostgresStore } from '../src/postgres/index.ts';
import type { BenchDatabase } from './server.ts';

/**
 * Pages that the server looked at for some work, found in memory or not: of our tables, their indexes and what lies beside them. The work gets a store
 * of its own, for a session's counters arrive for certain when it ends.
 */
export async function pagesRead(database: BenchDatabase, work: (store: PostgresStore) => Promise<void>): Promise<number> {
  const before = await settled(database);
  const store = await openPostgresStore(database.connect);
  await work(store);
  await store.close();
  return (await settled(database)) - before;
}

/** Pauses between looks: counters of a session that has just ended arrive a little later. */
const lookEveryMs = 400;

/** The counter, once it stands still. */
async function settled(database: BenchDatabase): Promise<number> {
  for (let previous = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    const { rows } = await database.sql(`
      select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
               + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0))::float8 as pages
        from pg_statio_user_tables where schemaname = 'distilog'`);
    const { pages } = rows[0] as { pages: number };
    if (pages === previous) return pages;
    previous = pages;
  }
}
