import { rejectionBytesInlineMax, type Range, type RecordedEvent, type Rejected, type Rejection } from '../../schema/index.ts';
import type { Chunk, ChunkStore } from '../log/index.ts';
import { batchChunks, ChunkBuilder, decodeChunk, documentChunk, rejectionsOf, rowBytes } from '../rows/index.ts';
import { OutputWriter, storedChunk, type Output } from './output-writer.ts';
import { partReader, type OutputPart, type RowPart } from './row-output.ts';

/** What became of an input row: the one output row, or all those, that stem from it (none: it was dropped), or why it was given up. */
export type Finished =
  | RowPart
  | { readonly kind: 'kept'; readonly parts: readonly OutputPart[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** A row with one output row that adds nothing to it. */
export const keptAsItIs: Finished = { kind: 'row', values: [], bytes: 0 };
/** A row with none. */
export const dropped = { kind: 'kept', parts: [] } as const satisfies Finished;

/** What is known of a row: as it was finished, but that the one output row that most have in memory stands with all the others, column by column. */
type Known = Exclude<Finished, RowPart> | typeof inColumns;
const inColumns = { kind: 'in-columns' } as const;

/** The parts of an event that tell of finished rows. */
export interface Told extends TellsRejections {
  readonly output: Output;
  readonly done: readonly Range[];
}

export interface TellsRejections {
  readonly rejected: Rejected;
  /** The list of rejections, where it is too long for an event. */
  readonly rejections: Chunk | null;
}

/** Chunks that an earlier event of the batch told of are used as they are if they are not small; a few rows are put together with others. */
const reusedRowsMin = 500;

/** The rows of one batch that are done: those that earlier attempts recorded, and those of the attempt under way. */
export class FinishedRows {
  readonly #columns: readonly string[];
  readonly #chunks: ChunkStore;
  readonly #rows: (Known | undefined)[] = [];
  /** Of each column, the canonical JSON of rows that are in columns, and the bytes of such rows: by row number. */
  readonly #texts: readonly string[][];
  readonly #bytes: number[] = [];
  #count = 0;
  /** Row numbers, as they were finished. */
  #untold: number[] = [];
  #untoldBytes = 0;
  /** Whether some rows' output is in chunks already. */
  #hasStored = false;

  constructor(columns: readonly string[], chunks: ChunkStore) {
    this.#columns = columns;
    this.#chunks = chunks;
    this.#texts = columns.map(() => []);
  }

  get count(): number {
    return this.#count;
  }

  get untold(): number {
    return this.#untold.length;
  }

  /** Bytes of output rows that are held in memory until they are told. */
  get untoldBytes(): number {
    return this.#untoldBytes;
  }

  has(row: number): boolean {
    return this.#rows[row] !== undefined;
  }

  /** Why a row was given up, if it was. */
  rejectionOf(row: number): Rejection | undefined {
    const known = this.#rows[row];
    return known?.kind === 'rejected' ? known.rejection : undefined;
  }

  set(row: number, finished: Finished): void {
    // Looked for only where a row is finished anew, which is rare.
    if (!this.has(row) || !this.#untold.includes(row)) this.#untold.push(row);
    if (finished.kind === 'row') this.#placeInColumns(row, finished);
    else this.#place(row, finished);
    this.#untoldBytes += heldBytes(finished);
  }

  #placeInColumns(row: number, { values, bytes }: RowPart): void {
    if (this.#rows[row] === undefined) this.#count++;
    this.#rows[row] = inColumns;
    this.#bytes[row] = bytes;
    for (let column = 0; column < this.#texts.length; column++) (this.#texts[column] as string[])[row] = values[column] as string;
  }

  #place(row: number, known: Exclude<Known, typeof inColumns>): void {
    const before = this.#rows[row];
    if (before === undefined) this.#count++;
    // What it held is held no longer.
    if (before === inColumns) for (const texts of this.#texts) texts[row] = '';
    this.#rows[row] = known;
    if (known.kind === 'kept' && known.parts.some(({ kind }) => kind === 'stored')) this.#hasStored = true;
  }

  #partsOf(row: number): readonly OutputPart[] {
    const known = this.#rows[row];
    if (known?.kind === 'kept') return known.parts;
    return known === inColumns ? [{ kind: 'row', values: this.#valuesAt(row), bytes: this.#bytes[row] as number }] : [];
  }

  #valuesAt(row: number): readonly string[] {
    return this.#texts.map((texts) => texts[row] as string);
  }

  /** The values of an input row that has one output row; null if it has none. */
  async valuesOf(row: number): Promise<readonly string[] | null> {
    const known = this.#rows[row];
    if (known === inColumns) return this.#valuesAt(row);
    if (known?.kind !== 'kept') return null;
    const reader = partReader(this.#columns, this.#chunks);
    for (const part of known.parts) for await (const values of reader.rows(part)) return values;
    return null;
  }

  /** The rows given up, in order. */
  rejections(): readonly Rejection[] {
    const rejections: Rejection[] = [];
    for (const known of this.#rows) if (known?.kind === 'rejected') rejections.push(known.rejection);
    return rejections;
  }

  /** Whether a row was given up. */
  get hasRejections(): boolean {
    return this.#rows.some((known) => known?.kind === 'rejected');
  }

  /** Takes back all rejections: those rows are to be tried again. Of a source's items, which are read in order, it takes back all behind the first, too. */
  reconsider(isInOrder: boolean): void {
    for (const [row, known] of this.#rows.entries()) if (known?.kind === 'rejected') this.#forget(row);
    if (isInOrder) this.#keepPrefix();
    this.#untold = this.#untold.filter((row) => this.has(row));
  }

  #forget(row: number): void {
    if (this.#rows[row] === undefined) return;
    this.#rows[row] = undefined;
    this.#count--;
  }

  /** Keeps the rows before the first that is not done. */
  #keepPrefix(): void {
    let row = 0;
    while (this.#rows[row] !== undefined) row++;
    for (; row < this.#rows.length; row++) this.#forget(row);
  }

  /** Takes back rows that no event tells of yet and that were not rejected: those named, or all (null). Returns which they are. */
  takeBack(row: number | null): readonly number[] {
    const taken = this.#untold.filter((each) => (row === null || each === row) && this.#rows[each]?.kind !== 'rejected');
    const isTaken = new Set(taken);
    this.#untold = this.#untold.filter((each) => !isTaken.has(each));
    for (const each of taken) this.#forget(each);
    return taken;
  }

  /**
   * Reads what earlier attempts at the batch recorded: which rows are done, and in which chunks their output is. Rejections up to `reconsiderUntil` are left
   * out. `isInOrder`: rows are a source's items.
   */
  async recover(
    events: readonly RecordedEvent[],
    { reconsiderUntil, isInOrder }: { readonly reconsiderUntil: number; readonly isInOrder: boolean },
  ): Promise<void> {
    for (const event of events) {
      if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') continue;
      for (const [from, to] of event.data.done) for (let row = from; row < to; row++) this.#place(row, dropped);
      let first = 0;
      for (const address of batchChunks(event).rows) {
        const bytes = await this.#chunks.get(address);
        const { count, parents } = decodeChunk(bytes);
        const chunk = { address, rows: count, bytes: bytes.byteLength, first: parents === null ? first : null };
        for (let row = 0; row < count; row++) this.#append(parents?.[row] ?? first + row, { kind: 'stored', chunk, from: row, rows: 1 });
        first += count;
      }
      for (const rejection of await rejectionsOf(event, this.#chunks)) {
        if (event.position <= reconsiderUntil) this.#forget(rejection.row);
        else this.#place(rejection.row, { kind: 'rejected', rejection });
      }
    }
    if (isInOrder) this.#keepPrefix();
  }

  /**
   * What was finished since it was last told. From now on it is read from its chunks, which are stored before or with the event that tells of them: once
   * that is recorded.
   */
  tellNews(): Told {
    const rows = this.#untold.sort((a, b) => a - b);
    this.#untold = [];
    this.#untoldBytes = 0;
    const output = this.#store(rows);
    const rejections = rows.flatMap((row) => this.rejectionOf(row) ?? []);
    return { output, done: rangesOf(rows), ...tellRejections(rejections) };
  }

  /** All of it: the batch's output, in the order of its input rows. */
  async tellAll(): Promise<Omit<Told, 'done'>> {
    const writer = new OutputWriter(this.#columns, this.#chunks, true);
    if (this.#hasStored) await this.#writeParts(writer);
    else await this.#writeHeld(writer);
    return { output: writer.end(), ...tellRejections(this.rejections()) };
  }

  /** Writes rows that are all in memory, as those of most batches are. */
  async #writeHeld(writer: OutputWriter): Promise<void> {
    for (let row = 0; row < this.#rows.length; row++) {
      const known = this.#rows[row];
      if (known === undefined || known.kind === 'rejected') continue;
      if (known.kind === 'in-columns') {
        const storing = writer.addFrom(this.#texts, row, this.#bytes[row] as number);
        if (storing) await storing;
      } else for (const part of known.parts) if (part.kind !== 'stored') await addHeld(writer, part, row);
    }
  }

  /** Writes rows some of which are in chunks: whole chunks are used as they are. */
  async #writeParts(writer: OutputWriter): Promise<void> {
    const reader = partReader(this.#columns, this.#chunks);
    const parts = this.#rows.flatMap((_, row) => this.#partsOf(row).map((part) => ({ row, part })));
    for (let index = 0; index < parts.length; ) {
      const reused = wholeChunkAt(parts, index);
      if (reused && writer.canReuse(reused.chunk)) {
        writer.addStored(reused.chunk);
        index = reused.next;
        continue;
      }
      const { row, part } = parts[index] as (typeof parts)[number];
      if (part.kind !== 'stored') await addHeld(writer, part, row);
      else for await (const values of reader.rows(part)) await writer.add(values, row, rowBytes(values));
      index++;
    }
  }

  /** Makes chunks of what these rows hold in memory, and refers to them instead. */
  #store(rows: readonly number[]): Output {
    const builder = new ChunkBuilder(this.#columns, true);
    const chunks: Chunk[] = [];
    const addresses: string[] = [];
    const chunkRows: number[] = [];
    let places: { readonly row: number; readonly at: number }[] = [];
    let count = 0;
    let bytes = 0;
    const finishChunk = () => {
      const built = builder.take(count);
      const chunk = storedChunk(built);
      chunks.push(built.chunk);
      addresses.push(chunk.address);
      chunkRows.push(chunk.rows);
      count += chunk.rows;
      bytes += chunk.bytes;
      for (const [from, { row, at }] of places.entries()) this.#replace(row, at, { kind: 'stored', chunk, from, rows: 1 });
      places = [];
    };
    for (const row of rows) {
      const parts: OutputPart[] = [];
      for (const part of this.#partsOf(row)) {
        if (part.kind === 'stored') {
          // Rows of a large output: their chunk is stored, and told of where it stands.
          if (builder.count > 0) finishChunk();
          addresses.push(part.chunk.address);
          chunkRows.push(part.rows);
          count += part.rows;
          bytes += part.chunk.bytes;
          parts.push(part);
          continue;
        }
        for (const one of heldRows(part)) {
          if (builder.isFullFor(one.bytes)) {
            this.#place(row, { kind: 'kept', parts });
            finishChunk();
          }
          builder.add(one.values, row, one.bytes);
          places.push({ row, at: parts.length });
          parts.push(one);
        }
      }
      if (parts.length > 0) this.#place(row, { kind: 'kept', parts });
    }
    if (builder.count > 0) finishChunk();
    return { addresses, unstored: chunks, rows: count, chunkRows, bytes };
  }

  #replace(row: number, at: number, part: OutputPart): void {
    const known = this.#rows[row];
    if (known?.kind !== 'kept') return;
    (known.parts as OutputPart[])[at] = part;
    this.#hasStored = true;
  }

  /** One more output row of an input row, which stands in a chunk. */
  #append(row: number, part: Extract<OutputPart, { readonly kind: 'stored' }>): void {
    const known = this.#rows[row];
    const parts = known?.kind === 'kept' ? (known.parts as OutputPart[]) : [];
    const last = parts.at(-1);
    if (last?.kind === 'stored' && last.chunk.address === part.chunk.address && last.from + last.rows === part.from) {
      parts[parts.length - 1] = { ...last, rows: last.rows + part.rows };
    } else if (parts.length === 0) this.#place(row, { kind: 'kept', parts: [part] });
    else parts.push(part);
  }
}

type Held = Exclude<OutputPart, { readonly kind: 'stored' }>;

/** Rows in memory, one by one, with their bytes. */
const heldRows = (part: Held): readonly RowPart[] =>
  part.kind === 'row' ? [part] : part.rows.map((values) => ({ kind: 'row', values, bytes: rowBytes(values) }));

async function addHeld(writer: OutputWriter, part: Held, row: number): Promise<void> {
  for (const { values, bytes } of heldRows(part)) {
    const storing = writer.add(values, row, bytes);
    if (storing) await storing;
  }
}

type Placed = { readonly row: number; readonly part: OutputPart };

/** The chunk whose rows are exactly those that stand here, in order, if it is worth using as it is. */
function wholeChunkAt(parts: readonly Placed[], index: number) {
  const first = parts[index]?.part;
  if (first?.kind !== 'stored' || first.from !== 0 || first.chunk.rows < reusedRowsMin) return null;
  let next = index;
  let rows = 0;
  while (rows < first.chunk.rows) {
    const part = parts[next]?.part;
    if (part?.kind !== 'stored' || part.chunk.address !== first.chunk.address || part.from !== rows) return null;
    rows += part.rows;
    next++;
  }
  return { chunk: first.chunk, next };
}

function heldBytes(finished: Finished): number {
  if (finished.kind === 'row') return finished.bytes;
  if (finished.kind === 'rejected') return 0;
  let bytes = 0;
  for (const part of finished.parts) if (part.kind !== 'stored') bytes += part.bytes;
  return bytes;
}

/** Rejections as an event tells them: one by one, or in a chunk where they are too many. */
export function tellRejections(rows: readonly Rejection[]): TellsRejections {
  const codes = Object.fromEntries(
    Array.from(
      Map.groupBy(rows, ({ code }) => code),
      ([code, of]) => [code, of.length],
    ),
  );
  const inChunk = Buffer.byteLength(JSON.stringify(rows)) > rejectionBytesInlineMax;
  return { rejected: { count: rows.length, codes, rows: inChunk ? [] : rows, inChunk }, rejections: inChunk ? documentChunk(rows) : null };
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
