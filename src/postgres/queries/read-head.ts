import type { Kysely } from 'kysely';
import type { Head } from '../../log/index.ts';
import type { Database } from '../database.ts';

/** Returns the head of a log, or null for a log that does not exist. */
export async function readHead(database: Kysely<Database>, logId: string): Promise<Head | null> {
  const row = await database.selectFrom('distilog.heads').selectAll().where('log_id', '=', logId).executeTakeFirst();
  if (!row) return null;
  return { logId: row.log_id, position: row.position, hash: row.hash.toString('hex'), recordedAt: row.recorded_at, epoch: row.epoch };
}
