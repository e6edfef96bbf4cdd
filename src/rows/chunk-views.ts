import { itemColumn, originColumn, placeColumn, placeText } from '../../schema/index.ts';
import { batchKey, type BatchName } from './batch-name.ts';
import { bytesOf, columnLookup, lazyView, memoizeAsync, pickValues, type View, type ViewPart } from './batch-view.ts';
import { BoundedCache } from './bounded-cache.ts';
import { itemsOf, originsOf, type Families, type OutputChunk } from './chunk-origins.ts';
import type { Family } from './origins.ts';
import type { ReadStep } from './read-step.ts';
import type { RowRange } from './row-ranges.ts';
import type { FindSucceededBatch } from './succeeded-batches.ts';

/** Approximate maximum bytes of cached views, including columns that were read from ancestors. */
const cachedBytesMax = 8 * 1024 * 1024;

/**
 * Number of outputs for which a view stays cached after its last use, because the next outputs may need the same ancestors. Views that stay longer reach
 * the old generation, and the heap grows.
 */
const cachedOutputsMax = 2;

/** Maximum cached last families of a `flatMap`'s chunks. */
const familiesMax = 200;

/** Returns views of the chunks of successful batches, and caches them within a bound of bytes. */
export class ChunkViews {
  readonly #views = new BoundedCache<View>(cachedBytesMax);
  readonly #families: Families = new BoundedCache<Family>(familiesMax);
  readonly #findBatch: FindSucceededBatch;
  readonly #stepOf: (name: string) => ReadStep;

  constructor(findBatch: FindSucceededBatch, stepOf: (name: string) => ReadStep) {
    this.#findBatch = findBatch;
    this.#stepOf = stepOf;
  }

  /** Evicts views that the last outputs did not use. Called once per output. */
  evictUnused(): void {
    this.#views.nextTurn(cachedOutputsMax);
  }

  /** Yields the rows of a range, one part per chunk. A chunk is read when one of its columns is first used. */
  async *parts({ from, until, selected: only, ...batch }: RowRange): AsyncGenerator<ViewPart> {
    const { event } = await this.#findBatch(batch);
    let first = 0;
    let next = 0;
    for (const [index, rows] of event.data.chunkRows.entries()) {
      if (first >= until) return;
      const begin = first;
      if (begin + rows > from) {
        const view = lazyView(rows, () => this.#viewOf(batch, index, begin));
        if (only === undefined) yield { view, from: Math.max(0, from - begin), to: Math.min(rows, until - begin) };
        const numbers: number[] = [];
        for (; only && (only[next] ?? Number.POSITIVE_INFINITY) < begin + rows; next++) numbers.push((only[next] as number) - begin);
        if (numbers.length > 0) yield { view: pickRows(view, numbers), from: 0, to: numbers.length };
      }
      first += rows;
    }
  }

  /**
   * Returns the rows of one chunk, which begins at output row `first` of its batch. Columns that the chunk does not hold are read concurrently with it, as
   * are the chunks of all steps above.
   */
  async #viewOf(batch: BatchName, index: number, first: number): Promise<View> {
    const key = batchKey(batch);
    const name = `${key}#${index}`;
    const { event, inherited, chunkCount, readChunk } = await this.#findBatch(batch);
    const known = this.#views.get(name);
    if (known) return known;
    const chunk = memoizeAsync(() => readChunk(index));
    const step = this.#stepOf(batch.step);
    const { adds } = step;
    const { chunkRows, source } = event.data;
    const count = chunkRows[index] ?? 0;
    const place = placeColumn(batch.step);
    const output = (): OutputChunk => ({
      key,
      step,
      batch: batch.batch,
      offset: source?.offset ?? null,
      chunkRows,
      index,
      first,
      chunkAt: (at) => (at === index ? chunk() : readChunk(at)),
      inherited: (column) => inherited(column, chunk(), first),
    });
    const others = columnLookup(
      count,
      (column) => {
        if (column === originColumn) return originsOf(output(), this.#families);
        if (column === itemColumn && step.operator === 'source') return itemsOf(output());
        if (column !== place) return inherited(column, chunk(), first);
        return Promise.resolve(Array.from({ length: count }, (_, row) => placeText([batch.pass, batch.batch, first + row])));
      },
      (values) => this.#views.add(name, view, bytesOf(values)),
    );
    const view: View = {
      count,
      column: async (column) => (adds.includes(column) ? (await chunk()).columns.get(column) : undefined) ?? others.column(column),
    };
    this.#views.set(name, view, 1024 + (2 * event.data.bytes) / chunkCount);
    return view;
  }
}

/** Returns the rows of a view that have these numbers. */
const pickRows = (view: View, rows: readonly number[]): View => ({
  count: rows.length,
  column: async (name) => pickValues(await view.column(name), rows, 0, rows.length),
});
