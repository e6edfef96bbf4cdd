import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../../../schema/index.ts';
import type { Database } from '../database.ts';
import { decodeRows, eventColumns } from './event-rows.ts';

/** Returns the success of one batch up to position `to`, or null. */
export async function findSuccess(
  database: Kysely<Database>,
  logId: string,
  { pass, step, batch, to }: { readonly pass: number; readonly step: string; readonly batch: number; readonly to: number },
): Promise<RecordedEvent<'BatchSucceeded'> | null> {
  const row = await database
    .selectFrom('distilog.events')
    .select(eventColumns)
    .where('log_id', '=', logId)
    .where('type', '=', 'BatchSucceeded')
    .where('step', '=', step)
    .where('pass', '=', pass)
    .where('batch', '=', batch)
    .where('position', '<=', to)
    .executeTakeFirst();
  const [event] = row ? decodeRows(logId, [row]) : [];
  return event?.type === 'BatchSucceeded' ? event : null;
}
