import type { Commit } from '../../log/index.ts';
import type { Reader } from '../reader.ts';
import { pageSize } from './page-size.ts';

/** Reads appends whose first position is in the range, in order, in pages. */
export async function* readCommits(
  { query }: Reader,
  logId: string,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<readonly Commit[]> {
  for (let next = from; next <= to; ) {
    const rows = await query((database) =>
      database
        .selectFrom('distilog.commits')
        .selectAll()
        .where('log_id', '=', logId)
        .where('first', '>=', next)
        .where('first', '<=', to)
        .orderBy('first')
        .limit(pageSize)
        .execute(),
    );
    if (rows.length > 0) {
      yield rows.map(
        ({ first, last, recorded_at, clock, append_id, epoch, writer, root, hash }): Commit => ({
          first,
          last,
          recordedAt: recorded_at,
          clock,
          appendId: append_id,
          epoch,
          writer,
          root: root.toString('hex'),
          hash: hash.toString('hex'),
        }),
      );
    }
    if (rows.length < pageSize) return;
    next = (rows.at(-1)?.first ?? to) + 1;
  }
}
