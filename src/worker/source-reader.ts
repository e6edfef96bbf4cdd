import { isErrorLike } from '../kit/describe-thrown.ts';
import { Fault } from '../kit/fault.ts';
import type { RunnableStep } from '../pipeline/index.ts';
import { encodeValues } from '../rows/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { WorkerContext } from './worker-context.ts';

type Source = Extract<RunnableStep, { readonly operator: 'source' }>;

/** An item of a source, or its end. */
export type Item = { readonly done: false; readonly value: unknown } | { readonly done: true };

/** An open iterator over a source that starts at an item. */
export interface SourceReader {
  /** The next item's number, from 0. */
  readonly offset: number;
  /** Whether items come without waiting, so that peeking costs nothing. */
  readonly isSynchronous: boolean;
  next(): Promise<Item> | Item;
  /** Returns the next item without taking it. */
  peek(): Promise<Item> | Item;
  close(): Promise<void>;
}

/** Identifies the item before the next one by the hash of its values. Null if that item was rejected. */
export type Mark = string | null;

/** Returns the hash by which an item is recognised when its source is opened again. */
export const markOf = (values: readonly string[]): string => sha256(values.join('\n'));

/**
 * Opens a source at an item. After the first item it also reads the item before, and throws `Fault('source-changed')` for a source that does not continue
 * where it stopped.
 */
export async function openSource(source: Source, offset: number, mark: Mark, context: WorkerContext): Promise<SourceReader> {
  const back = offset > 0 && mark !== null ? 1 : 0;
  const items = await source.open({
    offset: offset - back,
    signal: context.abort,
    log: context.userLog(source.name),
    use: (resource) => context.resources.use(resource),
  });
  const reader = readerOf(items, offset - back);
  if (back === 1) await requireMark(source, reader, mark);
  return reader;
}

async function requireMark(source: Source, reader: SourceReader, mark: Mark): Promise<void> {
  const { offset } = reader;
  const item = await reader.next();
  const checked = item.done || isErrorLike(item.value) ? null : source.check(item.value);
  if (checked?.ok && markOf(encodeValues(checked.values)) === mark) return;
  await reader.close();
  const change = item.done ? `now ends before item ${offset + 1}` : `has a different item ${offset + 1} than before`;
  throw new Fault(
    'source-changed',
    `Source ${source.name} ${change}, so it cannot continue. A source must give the same rows in the same order every time.`,
    { details: { step: source.name, item: offset } },
  );
}

function readerOf(items: Iterable<unknown> | AsyncIterable<unknown>, start: number): SourceReader {
  const isSynchronous = !(Symbol.asyncIterator in items);
  const iterator = isSynchronous ? items[Symbol.iterator]() : items[Symbol.asyncIterator]();
  let offset = start;
  let ahead: Item | undefined;
  const itemOf = ({ done, value }: IteratorResult<unknown>): Item => (done === true ? { done: true } : { done: false, value });
  let isPulling = false;
  const awaitItem = async (result: Promise<IteratorResult<unknown>>): Promise<Item> => {
    isPulling = true;
    try {
      return itemOf(await result);
    } finally {
      isPulling = false;
    }
  };
  const pull = (): Promise<Item> | Item => {
    const result = iterator.next();
    return result instanceof Promise ? awaitItem(result) : itemOf(result);
  };
  const take = (item: Item): Item => {
    if (!item.done) offset++;
    return item;
  };
  return {
    get offset() {
      return offset;
    },
    isSynchronous,
    next: () => {
      const item = ahead ?? pull();
      ahead = undefined;
      return item instanceof Promise ? item.then(take) : take(item);
    },
    peek: () => {
      if (ahead) return ahead;
      const item = pull();
      if (item instanceof Promise) {
        return item.then((value) => {
          ahead = value;
          return value;
        });
      }
      ahead = item;
      return item;
    },
    close: async () => {
      const closed = Promise.resolve(iterator.return?.());
      // A generator that still waits for an item ends only after that wait, which may never end.
      if (isPulling) closed.catch(() => undefined);
      else await closed;
    },
  };
}
