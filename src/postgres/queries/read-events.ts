import type { EventType, RecordedEvent } from '../../../schema/index.ts';
import type { ReadOptions } from '../../log/index.ts';
import { isRare } from '../rare.ts';
import type { Reader } from '../reader.ts';
import { decodeRows, eventColumns } from './event-rows.ts';
import { pageSizes } from './event-pages.ts';
import { readHead } from './read-head.ts';

/** Reads events in order, in pages. Leaves out events that this program cannot read. */
export async function* readEvents(
  { query }: Reader,
  logId: string,
  { from = 1, to, types, step }: ReadOptions = {},
): AsyncGenerator<readonly RecordedEvent[]> {
  const until = to ?? (await query((database) => readHead(database, logId)))?.position ?? 0;
  const sizes = pageSizes();
  let next = from;
  while (next <= until) {
    const page = await query((database) => {
      let select = database
        .selectFrom('distilog.events')
        .select(eventColumns)
        .where('log_id', '=', logId)
        .where('position', '>=', next)
        .where('position', '<=', until);
      if (types) select = select.where('type', 'in', types);
      if (types && !types.some((type) => frequentTypes.has(type))) select = select.where(isRare);
      if (step !== undefined) select = select.where('step', '=', step);
      return select.orderBy('position').limit(sizes.next()).execute();
    });
    const last = page.at(-1);
    if (!last) return;
    const events = decodeRows(logId, page);
    const isLast = sizes.wasLast(page);
    if (events.length > 0) yield events;
    if (isLast) return;
    next = last.position + 1;
  }
}

/** Types with at least as many events as there are batches. */
const frequentTypes: ReadonlySet<string> = new Set<EventType>(['BatchStarted', 'BatchProgressed', 'BatchSucceeded']);
