import { openPostgresStore, type PostgresStore } from '../src/postgres/index.ts';
import type { BenchDatabase } from './server.ts';

/**
 * Counts the pages of distilog's tables, indexes and TOAST tables that the server reads for some work, from memory or disk. The work gets a store of its own,
 * because a session reports its counters when it ends.
 */
export async function pagesRead(database: BenchDatabase, work: (store: PostgresStore) => Promise<void>): Promise<number> {
  const before = await readSettledCounter(database);
  const store = await openPostgresStore(database.connect);
  await work(store);
  await store.close();
  return (await readSettledCounter(database)) - before;
}

/** Pause between two reads of the counter. Counters of a session arrive a little after its end. */
const pollMs = 400;

/** Returns the counter once it no longer changes. */
async function readSettledCounter(database: BenchDatabase): Promise<number> {
  for (let previous = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    const { rows } = await database.sql(`
      select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
               + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0))::float8 as pages
        from pg_statio_user_tables where schemaname = 'distilog'`);
    const { pages } = rows[0] as { pages: number };
    if (pages === previous) return pages;
    previous = pages;
  }
}
