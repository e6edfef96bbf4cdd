import type { Kysely } from 'kysely';
import type { Database } from '../database.ts';

/** Returns the ids of at most `limit` runs that start with a prefix, in order. */
export async function findRunIds(database: Kysely<Database>, prefix: string, limit: number): Promise<readonly string[]> {
  const rows = await database
    .selectFrom('distilog.heads')
    .select('log_id')
    .where('log_id', '>=', prefix)
    .where('log_id', '<', `${prefix}\u{10FFFF}`)
    .where('log_id', 'not like', '%/side')
    .orderBy('log_id')
    .limit(limit)
    .execute();
  return rows.map(({ log_id }) => log_id);
}
