import { rowBytesMax, type Checkpoint, type RecordedEvent } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import type { ChunkStore } from '../log/index.ts';
import { checkpointsOf } from '../rows/index.ts';

/** Owner of checkpoints: an input row, by its number in the batch, or a call that gets many rows (null). */
export type Owner = number | null;

/**
 * Intermediate values of calls, which later attempts at a row reuse instead of making them again. The batch's next event records them, so the row's next
 * attempt finds them, in this process or another. They are dropped once the row is done.
 */
export class Checkpoints {
  readonly #owners = new Map<Owner, Map<string, string>>();
  #unrecorded = new Map<string, Checkpoint>();

  /** Number of checkpoints that no event contains. */
  get unrecorded(): number {
    return this.#unrecorded.size;
  }

  /** Returns the checkpoint of that name, and makes it first if there is none. Throws `Fault('invalid-output')` if it is not JSON. */
  async getOrMake<T>(owner: Owner, name: string, make: () => T | Promise<T>): Promise<T> {
    const earlierText = this.#owners.get(owner)?.get(name);
    if (earlierText !== undefined) return JSON.parse(earlierText) as T;
    const text = textOf(name, await make());
    this.#set(owner, name, text);
    // A larger value is not recorded: no row could hold it either.
    if (Buffer.byteLength(text) <= rowBytesMax) this.#unrecorded.set(`${owner}/${name}`, { row: owner, name, value: JSON.parse(text) });
    return JSON.parse(text) as T;
  }

  /** Reads the checkpoints of earlier attempts from the batch's events, if these attempts ran the same code. */
  async recover(
    events: readonly RecordedEvent[],
    { signature, chunks, isDone }: { readonly signature: string; readonly chunks: ChunkStore; readonly isDone: (row: number) => boolean },
  ): Promise<void> {
    for (const event of events) {
      if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') continue;
      const checkpoints = await checkpointsOf(event, chunks);
      if (checkpoints?.signature !== signature) continue;
      for (const { row, name, value } of checkpoints.made) if (row === null || !isDone(row)) this.#set(row, name, canonicalJson(value));
    }
  }

  /** Forgets the checkpoints of a finished row. */
  forget(row: number): void {
    if (this.#owners.size === 0) return;
    for (const name of this.#owners.get(row)?.keys() ?? []) this.#unrecorded.delete(`${row}/${name}`);
    this.#owners.delete(row);
  }

  /** Takes the checkpoints that no event contains, so that the next event records them. */
  takeUnrecorded(): readonly Checkpoint[] {
    const unrecorded = [...this.#unrecorded.values()];
    this.#unrecorded = new Map();
    return unrecorded;
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
    throw new Fault('invalid-output', `Checkpoint ${JSON.stringify(name)} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
