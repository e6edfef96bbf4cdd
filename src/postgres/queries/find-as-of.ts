import type { Kysely } from 'kysely';
import type { AsOf } from '../../log/index.ts';
import type { Database } from '../database.ts';

/** Returns a position with the time and hash of its commit, or null for 0 and beyond the head. */
export async function findAsOf(database: Kysely<Database>, logId: string, position: number): Promise<AsOf | null> {
  const commit = await database
    .selectFrom('distilog.commits')
    .select(['last', 'recorded_at', 'hash'])
    .where('log_id', '=', logId)
    .where('first', '<=', position)
    .orderBy('first', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!commit || commit.last < position) return null;
  return { position, recordedAt: commit.recorded_at, hash: commit.hash.toString('hex') };
}
