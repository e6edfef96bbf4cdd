import type { Kysely } from 'kysely';
import type { Database } from '../database.ts';

/** Returns the writer of a log's last commit as `user@host:pid`, or null for a log that does not exist. */
export async function findLastWriter(database: Kysely<Database>, logId: string): Promise<string | null> {
  const last = await database
    .selectFrom('distilog.commits')
    .select('writer')
    .where('log_id', '=', logId)
    .orderBy('first', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.writer ?? null;
}
