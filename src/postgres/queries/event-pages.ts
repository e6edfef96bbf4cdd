import { pageSize } from './page-size.ts';

/** Events in the first page, whose size is unknown. Later pages grow by doubling. */
const firstPageSize = 250;

/** Approximate maximum characters of event data per page. Events that list rejections may have 64 KiB each. */
const pageLengthMax = 4 * 1024 * 1024;

/** Chooses the sizes of pages of events: fewer events if their data is long. */
export interface PageSizes {
  /** Returns the number of events to request next. */
  next(): number;
  /** Records the size of a page that was read. Returns whether it was the last page, because it had fewer events than requested. */
  wasLast(page: readonly { readonly data: string }[]): boolean;
}

/** Returns the sizes of consecutive pages of at most `pageMax` events. */
export function pageSizes(pageMax = pageSize): PageSizes {
  let size = Math.min(pageMax, firstPageSize);
  return {
    next: () => size,
    wasLast: (page) => {
      const isLast = page.length < size;
      const mean = page.reduce((sum, { data }) => sum + data.length, 0) / Math.max(1, page.length);
      size = Math.max(1, Math.min(pageMax, 2 * size, Math.floor(pageLengthMax / Math.max(1, mean))));
      return isLast;
    },
  };
}
