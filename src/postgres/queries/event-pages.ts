import { pageSize } from './page-size.ts';

/** Events of a first page, when nothing is known of them. Pages grow by doubling. */
const firstPageSize = 250;

/** Characters of events' data that a page holds, about. Events that list rejections may have 64 KiB each. */
const pageLengthMax = 4 * 1024 * 1024;

/** Sizes of pages of events: fewer events where their data is long. */
export interface PageSizes {
  /** Returns how many events to ask for next. */
  next(): number;
  /** Notes a page that was read. Returns whether fewer events came than were asked for, so that it was the last one. */
  wasLast(page: readonly { readonly data: string }[]): boolean;
}

/** Begins to read pages of at most `most` events. */
export function pageSizes(most = pageSize): PageSizes {
  let size = Math.min(most, firstPageSize);
  return {
    next: () => size,
    wasLast: (page) => {
      const isLast = page.length < size;
      const mean = page.reduce((sum, { data }) => sum + data.length, 0) / Math.max(1, page.length);
      size = Math.max(1, Math.min(most, 2 * size, Math.floor(pageLengthMax / Math.max(1, mean))));
      return isLast;
    },
  };
}
