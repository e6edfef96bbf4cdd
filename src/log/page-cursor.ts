/** Reads the items of pages one at a time. */
export interface PageCursor<Item> extends AsyncDisposable {
  /** Returns the next item, or undefined at the end. */
  next(): Promise<Item | undefined>;
}

/** Creates a cursor over the items of pages. */
export function pageCursor<Item>(pages: AsyncIterable<readonly Item[]>): PageCursor<Item> {
  const iterator = pages[Symbol.asyncIterator]();
  let page: readonly Item[] = [];
  let index = 0;
  return {
    next: async () => {
      while (index >= page.length) {
        const read = await iterator.next();
        if (read.done) return undefined;
        page = read.value;
        index = 0;
      }
      return page[index++];
    },
    [Symbol.asyncDispose]: async () => {
      await iterator.return?.();
    },
  };
}
