import { rejectionBytesInlineMax, type Range, type RecordedEvent, type Rejected, type Rejection } from '#schema';
import type { Chunk, ChunkStore } from '#log';
import { batchChunks, decodeChunk, documentChunk, encodeChunks, encodeValues, rejectionsOf, type EncodedRow } from '#rows';

/** What became of an input row: `values` are the canonical JSON of the columns that it adds. */
export type Finished =
  | { readonly kind: 'kept'; readonly values: readonly string[] }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** The parts of an event that tell of finished rows, and the chunks that it names. */
export interface Told {
  readonly output: readonly Chunk[];
  /** The list of rejections, where it is too long for an event. */
  readonly rejections: Chunk | null;
  readonly done: readonly Range[];
  readonly rows: number;
  readonly bytes: number;
  readonly rejected: Rejected;
}

/** The rows of one batch that are done: those that earlier attempts recorded, and those of the attempt under way. */
export class FinishedRows {
  readonly #columns: readonly string[];
  readonly #rows = new Map<number, Finished>();
  #untold = new Set<number>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  get count(): number {
    return this.#rows.size;
  }

  get untold(): number {
    return this.#untold.size;
  }

  has(row: number): boolean {
    return this.#rows.has(row);
  }

  get(row: number): Finished | undefined {
    return this.#rows.get(row);
  }

  set(row: number, finished: Finished): void {
    this.#rows.set(row, finished);
    this.#untold.add(row);
  }

  /** Takes back rejections that no event tells of yet: they are to be tried again. */
  reconsider(): void {
    for (const row of this.#untold) {
      if (this.#rows.get(row)?.kind !== 'rejected') continue;
      this.#rows.delete(row);
      this.#untold.delete(row);
    }
  }

  /** Reads what earlier attempts at the batch recorded. */
  async recover(events: readonly RecordedEvent[], chunks: ChunkStore): Promise<void> {
    for (const event of events) {
      if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') continue;
      const { done } = event.data;
      for (const [from, to] of done) for (let row = from; row < to; row++) this.#rows.set(row, { kind: 'dropped' });
      let first = 0;
      for (const address of batchChunks(event).rows) {
        const { count, parents, columns } = decodeChunk(await chunks.get(address));
        const values = this.#columns.map((name) => columns.get(name) ?? []);
        for (let index = 0; index < count; index++) {
          this.#rows.set(parents?.[index] ?? first + index, { kind: 'kept', values: encodeValues(values.map((column) => column[index])) });
        }
        first += count;
      }
      for (const rejection of await rejectionsOf(event, chunks)) this.#rows.set(rejection.row, { kind: 'rejected', rejection });
    }
  }

  /** What was finished since it was last told. */
  tellNews(): Told {
    const rows = [...this.#untold].sort((a, b) => a - b);
    this.#untold = new Set();
    return this.#told(rows);
  }

  /** All of it: the batch's output. */
  tellAll(): Told {
    return this.#told([...this.#rows.keys()].sort((a, b) => a - b));
  }

  #told(rows: readonly number[]): Told {
    const kept: EncodedRow[] = [];
    const rejections: Rejection[] = [];
    for (const row of rows) {
      const finished = this.#rows.get(row);
      if (finished?.kind === 'kept') kept.push({ values: finished.values, parent: row });
      if (finished?.kind === 'rejected') rejections.push(finished.rejection);
    }
    const outputs = encodeChunks(this.#columns, kept);
    const { rejected, chunk } = tellRejections(rejections);
    return {
      output: outputs,
      rejections: chunk,
      done: rangesOf(rows),
      rows: kept.length,
      bytes: outputs.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      rejected,
    };
  }
}

function tellRejections(rows: readonly Rejection[]): { readonly rejected: Rejected; readonly chunk: Chunk | null } {
  const codes: Record<string, number> = {};
  for (const { code } of rows) codes[code] = (codes[code] ?? 0) + 1;
  const inChunk = Buffer.byteLength(JSON.stringify(rows)) > rejectionBytesInlineMax;
  return { rejected: { count: rows.length, codes, rows: inChunk ? [] : rows, inChunk }, chunk: inChunk ? documentChunk(rows) : null };
}

function rangesOf(rows: readonly number[]): readonly Range[] {
  const ranges: [number, number][] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last?.[1] === row) last[1]++;
    else ranges.push([row, row + 1]);
  }
  return ranges;
}
