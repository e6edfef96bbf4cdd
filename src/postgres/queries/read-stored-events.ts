import type { StoredEvent } from '../../log/index.ts';
import type { Reader } from '../reader.ts';
import { encodedEvent, eventColumns } from './event-rows.ts';
import { pageSizes } from './event-pages.ts';

/** Reads events from `from` to `to` as they are stored, with their leaf hashes, in order, in pages. */
export async function* readStoredEvents(
  { query }: Reader,
  logId: string,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<readonly StoredEvent[]> {
  const sizes = pageSizes();
  for (let next = from; next <= to; ) {
    const rows = await query((database) =>
      database
        .selectFrom('distilog.events')
        .select([...eventColumns, 'leaf'])
        .where('log_id', '=', logId)
        .where('position', '>=', next)
        .where('position', '<=', to)
        .orderBy('position')
        .limit(sizes.next())
        .execute(),
    );
    const isLast = sizes.wasLast(rows);
    if (rows.length > 0) yield rows.map((row): StoredEvent => ({ ...encodedEvent(row), leaf: row.leaf.toString('hex') }));
    if (isLast) return;
    next = (rows.at(-1)?.position ?? to) + 1;
  }
}
