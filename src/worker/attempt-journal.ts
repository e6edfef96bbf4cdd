import { hasCode } from '../kit/fault.ts';
import type { AttemptRecords } from './attempt-records.ts';
import { batchEvent } from './batch-event.ts';
import type { Journaled } from './journal-clock.ts';

/** Bytes of finished rows in memory above which they are recorded without waiting for the journal clock. */
const unrecordedBytesMax = 8 * 1024 * 1024;

/** Records what a slow attempt has done so far, as `BatchProgressed`. */
export class AttemptJournal implements Journaled {
  readonly #records: AttemptRecords;
  #writing: Promise<void> = Promise.resolve();

  constructor(records: AttemptRecords) {
    this.#records = records;
  }

  /** Starts to record at regular intervals. */
  start(): void {
    this.#records.context.journalClock.add(this);
  }

  /** Stops recording and waits for the append in flight. Throws if the store failed. */
  async stop(): Promise<void> {
    this.#records.context.journalClock.remove(this);
    await this.#writing;
  }

  /** Whether the attempt has finished rows, usage or checkpoints that no event contains. */
  get hasUnrecorded(): boolean {
    const { finished, usage, checkpoints } = this.#records;
    // A call that has not produced a row yet was paid for, too.
    return finished.unrecorded > 0 || usage.unrecorded > 0 || checkpoints.unrecorded > 0;
  }

  /** Records finished rows early if they take too much memory. Returns a promise to await in that case. */
  makeRoom(): Promise<void> | undefined {
    if (this.#records.finished.unrecordedBytes <= unrecordedBytesMax) return undefined;
    this.flush();
    return this.#writing;
  }

  /** Appends everything unrecorded as `BatchProgressed`. */
  flush(): void {
    if (!this.hasUnrecorded) return;
    const { task, context, finished, usage } = this.#records;
    const { done, output, rejected, rejections } = finished.takeUnrecorded();
    const checkpoints = this.#records.checkpoints.takeUnrecorded();
    const data = { done, rows: output.rows, rejected, checkpoints: checkpoints.length };
    const consumed = usage.take();
    // One append at a time, so that the events of an attempt are in the order in which its rows were finished.
    this.#writing = this.#writing.then(async () => {
      const event = await batchEvent('BatchProgressed', task, context.chunks, { output, rejections, checkpoints, consumed, data });
      await context.journal(event).catch((error: unknown) => {
        context.journalClock.remove(this);
        // Another process drives the run. The end of this attempt will be refused, too, and then its whole usage is recorded in the side log.
        if (!hasCode(error, 'fenced') && !hasCode(error, 'history-diverged')) throw error;
        usage.putBack(consumed);
      });
    });
    this.#writing.then(
      () => context.load.notify(task.step.name),
      () => context.journalClock.remove(this),
    );
  }
}
