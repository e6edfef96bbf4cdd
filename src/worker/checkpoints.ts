import { rowBytesMax, type Checkpoint, type RecordedEvent } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import type { ChunkStore } from '../log/index.ts';
import { checkpointsOf } from '../rows/index.ts';

/** Whose checkpoints: an input row's, by its number in the batch, or those of a call that gets many rows (null). */
export type Owner = number | null;

/**
 * What calls made on the way to a row and that is not to be made again: each is written down with the batch's next event, and found by the row's next
 * attempt, in this process or another. Forgotten once the row is done.
 */
export class Checkpoints {
  readonly #owners = new Map<Owner, Map<string, string>>();
  #unrecorded = new Map<string, Checkpoint>();

  /** Number of checkpoints that no event contains. */
  get unrecorded(): number {
    return this.#unrecorded.size;
  }

  /** What stands under a name; makes it if nothing does. Throws `Fault('invalid-output')` for what is not JSON. */
  async reach<T>(owner: Owner, name: string, make: () => T | Promise<T>): Promise<T> {
    const before = this.#owners.get(owner)?.get(name);
    if (before !== undefined) return JSON.parse(before) as T;
    const text = textOf(name, await make());
    this.#set(owner, name, text);
    // A larger one cannot become a row either.
    if (Buffer.byteLength(text) <= rowBytesMax) this.#unrecorded.set(`${owner}/${name}`, { row: owner, name, value: JSON.parse(text) });
    return JSON.parse(text) as T;
  }

  /** Takes from a batch's events what its earlier attempts wrote down, if they ran the same code. */
  async recover(
    events: readonly RecordedEvent[],
    { signature, chunks, isDone }: { readonly signature: string; readonly chunks: ChunkStore; readonly isDone: (row: number) => boolean },
  ): Promise<void> {
    for (const event of events) {
      if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') continue;
      const before = await checkpointsOf(event, chunks);
      if (before?.signature !== signature) continue;
      for (const { row, name, value } of before.made) if (row === null || !isDone(row)) this.#set(row, name, canonicalJson(value));
    }
  }

  /** A row is done. */
  forget(row: number): void {
    if (this.#owners.size === 0) return;
    for (const name of this.#owners.get(row)?.keys() ?? []) this.#unrecorded.delete(`${row}/${name}`);
    this.#owners.delete(row);
  }

  /** Takes the checkpoints that no event contains, for one to record. */
  takeUnrecorded(): readonly Checkpoint[] {
    const news = [...this.#unrecorded.values()];
    this.#unrecorded = new Map();
    return news;
  }

  #set(owner: Owner, name: string, text: string): void {
    const names = this.#owners.get(owner) ?? new Map<string, string>();
    this.#owners.set(owner, names.set(name, text));
  }
}

function textOf(name: string, value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (cause) {
    throw new Fault('invalid-output', `The checkpoint ${JSON.stringify(name)} must be JSON, and is not: ${messageOf(cause)}`, { cause });
  }
}
