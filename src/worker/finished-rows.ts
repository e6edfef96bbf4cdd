import type { Range, RecordedEvent, Rejection } from '../../schema/index.ts';
import type { ChunkStore } from '../log/index.ts';
import { buildChunks, type RowParts } from './build-chunks.ts';
import { HeldColumns } from './held-columns.ts';
import { OutputWriter, type BatchOutput } from './output-writer.ts';
import { recoverRows } from './recover-rows.ts';
import { encodeRejections, type EncodedRejections } from './rejection-list.ts';
import { partReader, type PendingRows, type EncodedRow } from './row-output.ts';
import { addStoredPart, writeHeld, writeParts } from './stored-parts.ts';

/** State of an input row that is done: its output row, all its output rows (none: it was dropped), or its rejection. */
export type Finished =
  | EncodedRow
  | { readonly kind: 'kept'; readonly parts: readonly PendingRows[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** State of a row whose one output row adds nothing to it. */
export const keptUnchanged: Finished = { kind: 'row', values: [], bytes: 0 };
/** State of a row without output. */
export const dropped = { kind: 'kept', parts: [] } as const satisfies Finished;

/** State of one input row. The common case, one output row in memory, is stored column by column in `#held`; `inColumns` marks it. */
type RowState = Exclude<Finished, EncodedRow> | typeof inColumns;
const inColumns = { kind: 'in-columns' } as const;

/** Output and rejections of a batch, as its success records them. */
export interface RecordedOutput extends EncodedRejections {
  readonly output: BatchOutput;
}

/** Output and rejections of the rows `done`, as an event before the batch's end records them. */
export interface RecordedRows extends RecordedOutput {
  readonly done: readonly Range[];
}

/** The rows of one batch that are done: those that earlier attempts recorded, and those of the attempt under way. */
export class FinishedRows {
  readonly #columns: readonly string[];
  readonly #chunks: ChunkStore;
  readonly #rows: (RowState | undefined)[] = [];
  readonly #held: HeldColumns;
  #count = 0;
  /** Row numbers, in the order in which the rows were finished. */
  #unrecorded: number[] = [];
  #unrecordedBytes = 0;
  /** Whether some rows' output is in chunks already. */
  #hasStored = false;

  constructor(columns: readonly string[], chunks: ChunkStore) {
    this.#columns = columns;
    this.#chunks = chunks;
    this.#held = new HeldColumns(columns.length);
  }

  get count(): number {
    return this.#count;
  }

  /** Number of rows that no event contains. */
  get unrecorded(): number {
    return this.#unrecorded.length;
  }

  /** Bytes of output rows that are held in memory until they are recorded. */
  get unrecordedBytes(): number {
    return this.#unrecordedBytes;
  }

  has(row: number): boolean {
    return this.#rows[row] !== undefined;
  }

  /** Returns a row's rejection, if it was rejected. */
  rejectionOf(row: number): Rejection | undefined {
    const state = this.#rows[row];
    return state?.kind === 'rejected' ? state.rejection : undefined;
  }

  /** Returns the rejections, in order of their rows. */
  rejections(): readonly Rejection[] {
    const rejections: Rejection[] = [];
    for (const state of this.#rows) if (state?.kind === 'rejected') rejections.push(state.rejection);
    return rejections;
  }

  /** Whether a row was rejected. */
  get hasRejections(): boolean {
    return this.#rows.some((state) => state?.kind === 'rejected');
  }

  /** Finishes a row. */
  set(row: number, finished: Finished): void {
    // The list is searched only if a row is finished again, which is rare.
    if (!this.has(row) || !this.#unrecorded.includes(row)) this.#unrecorded.push(row);
    if (finished.kind === 'row') this.#hold(row, finished);
    else this.#place(row, finished);
    this.#unrecordedBytes += heldBytes(finished);
  }

  /** Returns the values of an input row that has one output row; null if it has none. */
  async valuesOf(row: number): Promise<readonly string[] | null> {
    const state = this.#rows[row];
    if (state === inColumns) return this.#held.valuesAt(row);
    if (state?.kind !== 'kept') return null;
    const reader = partReader(this.#columns, this.#chunks);
    for (const part of state.parts) for await (const values of reader.rows(part)) return values;
    return null;
  }

  /** Forgets all rejections, so that their rows are tried again. `isInOrder`: rows are a source's items, so all after the first rejected one are forgotten. */
  reconsider(isInOrder: boolean): void {
    for (const [row, state] of this.#rows.entries()) if (state?.kind === 'rejected') this.#forget(row);
    if (isInOrder) this.#keepPrefix();
    this.#unrecorded = this.#unrecorded.filter((row) => this.has(row));
  }

  /** Forgets unrecorded rows that were not rejected: the given one, or all (null). Returns their numbers. */
  takeBack(row: number | null): readonly number[] {
    const rows = this.#unrecorded.filter((other) => (row === null || other === row) && this.#rows[other]?.kind !== 'rejected');
    const rowSet = new Set(rows);
    this.#unrecorded = this.#unrecorded.filter((other) => !rowSet.has(other));
    for (const forgottenRow of rows) this.#forget(forgottenRow);
    return rows;
  }

  /**
   * Restores what earlier attempts at the batch recorded: which rows are done, and which chunks hold their output. Rejections up to `reconsiderUntil` are
   * left out. `isInOrder`: rows are a source's items.
   */
  async recover(
    events: readonly RecordedEvent[],
    { reconsiderUntil, isInOrder }: { readonly reconsiderUntil: number; readonly isInOrder: boolean },
  ): Promise<void> {
    for await (const { done, output, rejections, position } of recoverRows(events, this.#chunks)) {
      for (const [from, to] of done) for (let row = from; row < to; row++) this.#place(row, dropped);
      for (const { row, part } of output) {
        const state = this.#rows[row];
        if (state?.kind === 'kept' && state.parts.length > 0) addStoredPart(state.parts as PendingRows[], part);
        else this.#place(row, { kind: 'kept', parts: [part] });
      }
      for (const rejection of rejections) {
        if (position <= reconsiderUntil) this.#forget(rejection.row);
        else this.#place(rejection.row, { kind: 'rejected', rejection });
      }
    }
    if (isInOrder) this.#keepPrefix();
  }

  /**
   * Takes the rows that were finished since the last call, for an event to record. Afterwards their values are only in chunks, which are stored before or
   * with that event, so they can be read once it is recorded.
   */
  takeUnrecorded(): RecordedRows {
    const rows = this.#unrecorded.sort((a, b) => a - b);
    this.#unrecorded = [];
    this.#unrecordedBytes = 0;
    const output = buildChunks(this.#columns, this.#partsOfEach(rows), (row, parts) => this.#place(row, { kind: 'kept', parts }));
    this.#hasStored ||= output.rows > 0;
    const rejections = rows.flatMap((row) => this.rejectionOf(row) ?? []);
    return { output, done: rangesOf(rows), ...encodeRejections(rejections) };
  }

  /** Takes the output of the whole batch, in the order of its input rows. */
  async takeAll(): Promise<RecordedOutput> {
    const writer = new OutputWriter(this.#columns, this.#chunks, true);
    if (this.#hasStored) {
      const parts = this.#rows.flatMap((_, row) => this.#partsOf(row).map((part) => ({ row, part })));
      await writeParts(writer, parts, { columns: this.#columns, chunks: this.#chunks });
    } else await this.#writeHeld(writer);
    return { output: writer.end(), ...encodeRejections(this.rejections()) };
  }

  /** Writes rows that are all in memory, the common case. */
  async #writeHeld(writer: OutputWriter): Promise<void> {
    const { texts } = this.#held;
    for (let row = 0; row < this.#rows.length; row++) {
      const state = this.#rows[row];
      if (state === undefined || state.kind === 'rejected') continue;
      if (state.kind === 'in-columns') {
        const storing = writer.addFrom(texts, row, this.#held.bytesAt(row));
        if (storing) await storing;
      } else for (const part of state.parts) if (part.kind !== 'stored') await writeHeld(writer, part, row);
    }
  }

  #hold(row: number, part: EncodedRow): void {
    if (this.#rows[row] === undefined) this.#count++;
    this.#rows[row] = inColumns;
    this.#held.set(row, part);
  }

  #place(row: number, state: Exclude<RowState, typeof inColumns>): void {
    const previousState = this.#rows[row];
    if (previousState === undefined) this.#count++;
    if (previousState === inColumns) this.#held.release(row);
    this.#rows[row] = state;
    if (state.kind === 'kept' && state.parts.some(({ kind }) => kind === 'stored')) this.#hasStored = true;
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

  #partsOf(row: number): readonly PendingRows[] {
    const state = this.#rows[row];
    if (state?.kind === 'kept') return state.parts;
    return state === inColumns ? [this.#held.partAt(row)] : [];
  }

  *#partsOfEach(rows: readonly number[]): Generator<RowParts> {
    for (const row of rows) yield { row, parts: this.#partsOf(row) };
  }
}

function heldBytes(finished: Finished): number {
  if (finished.kind === 'row') return finished.bytes;
  if (finished.kind === 'rejected') return 0;
  let bytes = 0;
  for (const part of finished.parts) if (part.kind !== 'stored') bytes += part.bytes;
  return bytes;
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
