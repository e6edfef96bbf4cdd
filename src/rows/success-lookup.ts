import type { RecordedEvent } from '../../schema/index.ts';
import type { EventLog } from '../log/index.ts';
import { batchKey, type BatchName } from './batch-name.ts';
import { BoundedCache } from './bounded-cache.ts';

type BatchSucceeded = RecordedEvent<'BatchSucceeded'>;

/** Maximum cached successes. */
const cachedSuccessesMax = 500;

/** Maximum cached successes if each keeps its list of rejections. */
const cachedWithRejectionsMax = 20;

/** Maximum successes that are read ahead for a caller that reads batches in order. */
const readAheadMax = 50;

/** Finds successes of a run's batches up to position `to`. Reads ahead for callers that go through a step's batches in order. */
export class SuccessLookup {
  readonly #log: Pick<EventLog, 'success' | 'readSuccesses'>;
  readonly #logId: string;
  readonly #to: number;
  readonly #readAhead: number;
  readonly #keepsRejections: boolean;
  readonly #successes: BoundedCache<BatchSucceeded>;

  constructor({
    log,
    logId,
    to,
    stepCount,
    keepsRejections = false,
  }: {
    readonly log: Pick<EventLog, 'success' | 'readSuccesses'>;
    readonly logId: string;
    readonly to: number;
    readonly stepCount: number;
    /** Whether successes come with the rejections that they list. Fewer are cached then, because the lists may be long. */
    readonly keepsRejections?: boolean;
  }) {
    this.#log = log;
    this.#logId = logId;
    this.#to = to;
    // With many steps, fewer successes per step are read ahead, so that they are still cached when they are needed.
    const cachedMax = keepsRejections ? cachedWithRejectionsMax : cachedSuccessesMax;
    this.#readAhead = Math.min(readAheadMax, Math.floor(cachedMax / (2 * stepCount)));
    this.#keepsRejections = keepsRejections;
    this.#successes = new BoundedCache<BatchSucceeded>(cachedMax);
  }

  /** Caches a success that the caller already has. Its list of rejections may be long, so it is left out unless `keepsRejections` is set. */
  note(event: BatchSucceeded): void {
    const { data } = event;
    const kept =
      this.#keepsRejections || data.rejected.rows.length === 0
        ? event
        : { ...event, data: { ...data, rejected: { ...data.rejected, rows: [] } } };
    this.#successes.set(batchKey(event), kept, 1);
  }

  /** Returns the success of a batch, or null. */
  async find(batch: BatchName): Promise<BatchSucceeded | null> {
    if (!this.#successes.get(batchKey(batch))) await this.#readFrom(batch);
    const success = this.#successes.get(batchKey(batch)) ?? (await this.#log.success(this.#logId, { ...batch, to: this.#to }));
    if (success) this.note(success);
    return success;
  }

  /** Caches the successes of this batch and the following ones if the previous batch is cached, because the caller then probably reads in order. */
  async #readFrom({ step, pass, batch }: BatchName): Promise<void> {
    if (this.#readAhead < 2 || !this.#successes.get(batchKey({ step, pass, batch: batch - 1 }))) return;
    const pages = this.#log.readSuccesses(this.#logId, {
      step,
      fromPass: pass,
      fromBatch: batch,
      to: this.#to,
      pageMax: this.#readAhead,
    });
    for await (const page of pages) {
      for (const event of page) this.note(event);
      return;
    }
  }
}
