/** How far to make ahead. */
export interface Ahead<Made> {
  readonly weightOf: (made: Made) => number;
  /** What those that are ready before they are used may weigh together, if all are like the last one. */
  readonly weightMax: number;
  /** How many of them there may be. */
  readonly countMax: number;
}

/** What items are made into, in their order. While one is used, the next are being made: one at least, more while they are light. */
export async function* madeAhead<Item, Made>(
  items: AsyncIterable<Item>,
  make: (item: Item) => Promise<Made>,
  { weightOf, weightMax, countMax }: Ahead<Made>,
): AsyncGenerator<Made> {
  const iterator = items[Symbol.asyncIterator]();
  const next = async (): Promise<{ readonly made: Made } | null> => {
    const { done, value } = await iterator.next();
    return done ? null : { made: await make(value) };
  };
  const ahead = [next()];
  try {
    for (;;) {
      const first = await ahead.shift();
      if (!first) return;
      const wanted = Math.max(1, Math.min(countMax, Math.floor(weightMax / weightOf(first.made))));
      while (ahead.length < wanted) {
        const later = next();
        // What goes wrong is told when it is its turn.
        later.catch(() => undefined);
        ahead.push(later);
      }
      yield first.made;
    }
  } finally {
    await iterator.return?.();
  }
}
