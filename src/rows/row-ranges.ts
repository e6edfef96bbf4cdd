import type { Span } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { BatchName, RowName } from './batch-name.ts';
import type { SuccessLookup } from './success-lookup.ts';

/** Consecutive output rows of one batch, from row `from` up to, but not including, row `until`. */
export interface RowRange extends BatchName {
  readonly from: number;
  readonly until: number;
  /** Numbers of the selected rows in the batch, ascending; default: all rows of the range. */
  readonly selected?: readonly number[] | undefined;
}

/** Yields the rows of spans batch by batch, in order. Batches without rows (empty, failed or skipped) are left out. */
export async function* rowRanges(spans: readonly Span[], successes: Pick<SuccessLookup, 'find'>): AsyncGenerator<RowRange> {
  for (const { step, pass, from, to, rows: only } of spans) {
    const last = to[1] === 0 ? to[0] - 1 : to[0];
    for (let batch = from[0]; batch <= last; batch++) {
      const rows = (await successes.find({ step, pass, batch }))?.data.rows ?? 0;
      if (rows === 0) continue;
      yield {
        step,
        pass,
        batch,
        from: batch === from[0] ? from[1] : 0,
        until: batch === to[0] ? Math.min(to[1], rows) : rows,
        selected: only,
      };
    }
  }
}

/** Returns the name of the row at `index` of an input, from 0. Throws `Fault('row-missing')` if the input is shorter. */
export async function locateRow(spans: readonly Span[], index: number, successes: Pick<SuccessLookup, 'find'>): Promise<RowName> {
  let before = 0;
  for await (const { from, until, selected: only, ...batch } of rowRanges(spans, successes)) {
    const count = only?.length ?? until - from;
    if (index >= 0 && index < before + count) return { ...batch, row: only?.[index - before] ?? from + index - before };
    before += count;
  }
  throw new Fault('row-missing', `An input has ${before} rows, so it has no row ${index}.`);
}
