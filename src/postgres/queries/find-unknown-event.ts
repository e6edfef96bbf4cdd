import type { Kysely } from 'kysely';
import { decodeEvent } from '../../log/index.ts';
import type { Database } from '../database.ts';
import { isRare } from '../rare.ts';
import { encodedEvent, eventColumns } from './event-rows.ts';

/** Returns the first event at or below `to` that this program cannot read, or null. */
export async function findUnknownEvent(
  database: Kysely<Database>,
  logId: string,
  to: number,
): Promise<{ readonly position: number; readonly reason: string } | null> {
  // Events of a later program are rare by definition (see `isRare`), so one event of each rare kind is enough.
  const kinds = await database
    .selectFrom('distilog.events')
    .select(['type', 'version', ({ fn }) => fn.min('position').as('position')])
    .where('log_id', '=', logId)
    .where('position', '<=', to)
    .where(isRare)
    .groupBy(['type', 'version'])
    .orderBy('position')
    .execute();
  for (const { position } of kinds) {
    const row = await database
      .selectFrom('distilog.events')
      .select(eventColumns)
      .where('log_id', '=', logId)
      .where('position', '=', position)
      .executeTakeFirst();
    const decoded = row ? decodeEvent(encodedEvent(row), logId) : null;
    if (decoded && !decoded.event) return { position, reason: decoded.reason };
  }
  return null;
}
