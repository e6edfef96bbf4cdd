import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../../../schema/index.ts';
import type { Database } from '../database.ts';
import { decodeRows, eventColumns } from './event-rows.ts';

/** Returns the `BatchProgressed`, `BatchFailed` and `BatchSucceeded` events of one batch up to position `to`, in order. */
export async function readBatchEvents(
  database: Kysely<Database>,
  logId: string,
  {
    pass,
    step,
    batch,
    to = Number.MAX_SAFE_INTEGER,
  }: { readonly pass: number; readonly step: string; readonly batch: number; readonly to?: number | undefined },
): Promise<readonly RecordedEvent[]> {
  const rows = await database
    .selectFrom('distilog.events')
    .select(eventColumns)
    .where('log_id', '=', logId)
    .where('step', '=', step)
    .where('pass', '=', pass)
    .where('batch', '=', batch)
    .where('position', '<=', to)
    .where((where) => where.or([where('type', 'in', ['BatchProgressed', 'BatchFailed']), where('type', '=', 'BatchSucceeded')]))
    .orderBy('position')
    .execute();
  return decodeRows(logId, rows);
}
