/** Limits on the number of results that are made ahead of their use. */
export interface MakeAheadLimits<Result> {
  readonly weightOf: (result: Result) => number;
  /** Maximum weight of the results that are ready, assuming that each is as heavy as the last one. */
  readonly weightMax: number;
  /** Maximum number of results that are ready. */
  readonly countMax: number;
}

/** Maps items in order. While the caller uses one result, the next ones are being made: at least one, and more while they are light. */
export async function* makeAhead<Item, Result>(
  items: AsyncIterable<Item>,
  make: (item: Item) => Promise<Result>,
  { weightOf, weightMax, countMax }: MakeAheadLimits<Result>,
): AsyncGenerator<Result> {
  const iterator = items[Symbol.asyncIterator]();
  const next = async (): Promise<{ readonly result: Result } | null> => {
    const { done, value } = await iterator.next();
    return done ? null : { result: await make(value) };
  };
  const pending = [next()];
  try {
    for (;;) {
      const first = await pending.shift();
      if (!first) return;
      const count = Math.max(1, Math.min(countMax, Math.floor(weightMax / weightOf(first.result))));
      while (pending.length < count) {
        const upcoming = next();
        // An error is thrown when this result is due.
        upcoming.catch(() => undefined);
        pending.push(upcoming);
      }
      yield first.result;
    }
  } finally {
    await iterator.return?.();
  }
}
