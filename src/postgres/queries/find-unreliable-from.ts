import { sql, type Kysely } from 'kysely';
import type { Database } from '../database.ts';

/** Returns the first position whose recorded time leads the server's clock by more than a second, or null. */
export async function findUnreliableFrom(database: Kysely<Database>, logId: string): Promise<number | null> {
  const row = await database
    .selectFrom('distilog.commits')
    .select(({ fn }) => fn.min('first').as('first'))
    .where('log_id', '=', logId)
    .where(sql<boolean>`recorded_at - clock > interval '1 second'`)
    .executeTakeFirst();
  return row?.first ?? null;
}
