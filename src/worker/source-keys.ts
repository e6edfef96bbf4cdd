import { itemColumn } from '../../schema/index.ts';
import type { Json } from '../kit/json.ts';
import { KeyClaims } from '../kit/key-claims.ts';
import type { EventLog } from '../log/index.ts';
import type { RunnableStep } from '../pipeline/index.ts';
import { columnsOf, keyText, type RowReader } from '../rows/index.ts';
import type { FinishedRows } from './finished-rows.ts';

type Source = Extract<RunnableStep, { readonly operator: 'source' }>;

/** The parts of an attempt at a source's batch that concern its keys. */
interface SourceAttempt {
  readonly context: { readonly runId: string; readonly log: EventLog; readonly reader: RowReader };
  readonly task: { readonly batch: number; readonly offset: number };
  readonly finished: FinishedRows;
}

/** Successes that are read together. */
const pageMax = 200;

/**
 * The declared keys of a source's rows, by item. A key belongs to the first item that has it. An item may claim its key again: a source is read again after a
 * failure.
 */
export class SourceKeys {
  readonly #source: Source;
  #claims: KeyClaims | null = null;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Claims the keys of all earlier batches, once per process, and of the rows that earlier attempts at this batch delivered. */
  async begin(attempt: SourceAttempt): Promise<void> {
    if (this.#source.key === null) return;
    this.#claims ??= await this.#claimDelivered(attempt);
    const { task, finished } = attempt;
    const column = this.#source.adds.indexOf(this.#source.key);
    for (let row = 0, left = finished.count; left > 0; row++) {
      if (!finished.has(row)) continue;
      left--;
      const values = await finished.valuesOf(row);
      if (values) this.#claims.claim(keyText(JSON.parse(values[column] as string) as Json), task.offset + row);
    }
  }

  /** Claims the key of an item, given the values of its columns. Returns the item that has the key: this item, or the first one with that key. */
  claim(item: number, values: readonly Json[]): number {
    if (this.#claims === null || this.#source.key === null) return item;
    return this.#claims.claim(keyText(values[this.#source.adds.indexOf(this.#source.key)] as Json), item);
  }

  close(): void {
    this.#claims?.close();
  }

  async #claimDelivered({ task, context }: SourceAttempt): Promise<KeyClaims> {
    const { name, key } = this.#source;
    const claims = new KeyClaims();
    try {
      for await (const page of context.log.readSuccesses(context.runId, {
        step: name,
        fromBatch: 0,
        to: Number.MAX_SAFE_INTEGER,
        pageMax,
      })) {
        for (const { pass, batch } of page) {
          if (batch >= task.batch) return claims;
          for await (const view of context.reader.output({ step: name, pass, batch })) {
            const [items = [], keys = []] = await columnsOf(view, [itemColumn, key ?? '']);
            for (const [row, item] of items.entries()) claims.claim(keyText(keys[row] as Json), item as number);
          }
        }
      }
      return claims;
    } catch (error) {
      claims.close();
      throw error;
    }
  }
}
