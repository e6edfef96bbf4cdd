import { sql } from 'kysely';
import type { RecordedEvent } from '../../../schema/index.ts';
import type { Reader } from '../reader.ts';
import { decodeRows, eventColumns } from './event-rows.ts';
import { pageSizes } from './event-pages.ts';

interface SuccessesOptions {
  readonly step: string;
  readonly fromPass?: number | undefined;
  readonly fromBatch?: number | undefined;
  readonly to: number;
  readonly pageMax?: number | undefined;
}

/** Reads the successes of a step's batches from `fromBatch` on, up to position `to`, ordered by (pass, batch), in pages of at most `pageMax`. */
export async function* readSuccesses(
  { query }: Reader,
  logId: string,
  { step, fromPass = 1, fromBatch = 0, to, pageMax }: SuccessesOptions,
): AsyncGenerator<readonly RecordedEvent<'BatchSucceeded'>[]> {
  const sizes = pageSizes(pageMax);
  let after = { pass: fromPass, batch: fromBatch - 1 };
  for (;;) {
    const page = await query((database) =>
      database
        .selectFrom('distilog.events')
        .select(eventColumns)
        .where('log_id', '=', logId)
        .where('type', '=', 'BatchSucceeded')
        .where('step', '=', step)
        .where(sql<boolean>`(pass, batch) > (${after.pass}, ${after.batch})`)
        .where('batch', '>=', fromBatch)
        .where('position', '<=', to)
        .orderBy('pass')
        .orderBy('batch')
        .limit(sizes.next())
        .execute(),
    );
    const isLast = sizes.wasLast(page);
    const successes = decodeRows(logId, page).filter((event) => event.type === 'BatchSucceeded');
    if (successes.length > 0) yield successes;
    const last = page.at(-1);
    if (!last || isLast) return;
    after = { pass: last.pass ?? 0, batch: last.batch ?? 0 };
  }
}
