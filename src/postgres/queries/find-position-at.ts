import { sql, type Kysely } from 'kysely';
import { formatInstant, type Instant } from '../../kit/instant.ts';
import type { Database } from '../database.ts';

/** Returns the last position recorded at or before an instant, or 0. */
export async function findPositionAt(database: Kysely<Database>, logId: string, instant: Instant): Promise<number> {
  const { rows } = await sql<{
    position: number;
  }>`select distilog.position_at(${logId}, ${formatInstant(instant)}::timestamptz) as position`.execute(database);
  return rows[0]?.position ?? 0;
}
