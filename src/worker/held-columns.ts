import type { EncodedRow } from './row-output.ts';

/** Output rows in memory, at most one per input row, stored column by column. Most rows of most batches are here. */
export class HeldColumns {
  /** Canonical JSON of the values, by column and input row. */
  readonly texts: readonly string[][];
  readonly #bytes: number[] = [];

  constructor(columns: number) {
    this.texts = Array.from({ length: columns }, () => []);
  }

  /** Holds an input row's output row. */
  set(row: number, { values, bytes }: EncodedRow): void {
    this.#bytes[row] = bytes;
    for (let column = 0; column < this.texts.length; column++) (this.texts[column] as string[])[row] = values[column] as string;
  }

  /** Releases the memory of a row. */
  release(row: number): void {
    for (const texts of this.texts) texts[row] = '';
  }

  bytesAt(row: number): number {
    return this.#bytes[row] as number;
  }

  valuesAt(row: number): readonly string[] {
    return this.texts.map((texts) => texts[row] as string);
  }

  partAt(row: number): EncodedRow {
    return { kind: 'row', values: this.valuesAt(row), bytes: this.bytesAt(row) };
  }
}
