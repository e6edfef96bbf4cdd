import type { RecordedEvent } from '../../schema/index.ts';

/** A choice of a step's rows: a number of them from its start, from its end, or at random. */
export interface RowChoice {
  readonly which: 'first' | 'last' | 'random';
  readonly count: number;
}

/** Rows of a batch, from row `from` up to, but not including, row `to`. */
export interface RowRange {
  readonly success: RecordedEvent<'BatchSucceeded'>;
  readonly from: number;
  readonly to: number;
}

type Successes = () => AsyncGenerator<RecordedEvent<'BatchSucceeded'>>;

/** Yields the ranges of the successes that hold the chosen rows, in order. */
export const chooseRows = (successes: Successes, { which, count }: RowChoice): AsyncGenerator<RowRange> =>
  choosers[which](successes, count);

async function* chooseFirst(successes: Successes, count: number): AsyncGenerator<RowRange> {
  let left = count;
  for await (const success of successes()) {
    yield { success, from: 0, to: Math.min(left, success.data.rows) };
    left -= success.data.rows;
    if (left <= 0) return;
  }
}

async function* chooseLast(successes: Successes, count: number): AsyncGenerator<RowRange> {
  const kept: RecordedEvent<'BatchSucceeded'>[] = [];
  let rows = 0;
  for await (const success of successes()) {
    kept.push(success);
    rows += success.data.rows;
    for (let [oldest] = kept; oldest && rows - oldest.data.rows >= count; [oldest] = kept) {
      rows -= oldest.data.rows;
      kept.shift();
    }
  }
  for (const [index, success] of kept.entries())
    yield { success, from: index === 0 ? Math.max(0, rows - count) : 0, to: success.data.rows };
}

/** Draws rows with equal probability. Counts all rows, draws row numbers, and yields only the drawn rows. */
async function* chooseRandom(successes: Successes, count: number): AsyncGenerator<RowRange> {
  let total = 0;
  for await (const { data } of successes()) total += data.rows;
  const numbers = drawNumbers(total, Math.min(count, total));
  let first = 0;
  let next = 0;
  for await (const success of successes()) {
    for (; next < numbers.length && (numbers[next] ?? 0) < first + success.data.rows; next++) {
      const row = (numbers[next] ?? 0) - first;
      yield { success, from: row, to: row + 1 };
    }
    if (next === numbers.length) return;
    first += success.data.rows;
  }
}

/** Draws `count` different numbers below `total`, in ascending order (Floyd's algorithm). */
function drawNumbers(total: number, count: number): readonly number[] {
  const numbers = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const number = Math.floor(Math.random() * (last + 1));
    numbers.add(numbers.has(number) ? last : number);
  }
  return [...numbers].sort((a, b) => a - b);
}

const choosers = { first: chooseFirst, last: chooseLast, random: chooseRandom };
