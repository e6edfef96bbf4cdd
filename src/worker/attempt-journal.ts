import { hasCode } from '../kit/fault.ts';
import type { AttemptRecords } from './attempt-records.ts';
import { batchEvent } from './batch-event.ts';
import type { Journaled } from './journal-clock.ts';

/** Bytes of finished rows that are held in memory before they are recorded, however early. */
const unrecordedBytesMax = 8 * 1024 * 1024;

/** Records what a slow attempt has done so far, as `BatchProgressed`. */
export class AttemptJournal implements Journaled {
  readonly #records: AttemptRecords;
  #writing: Promise<void> = Promise.resolve();

  constructor(records: AttemptRecords) {
    this.#records = records;
  }

  /** Starts to record at regular times. */
  start(): void {
    this.#records.context.journalClock.add(this);
  }

  /** Records no more, and waits for what is being recorded. Throws what the store threw. */
  async stop(): Promise<void> {
    this.#records.context.journalClock.remove(this);
    await this.#writing;
  }

  /** Whether anything was finished or paid for that no event contains. */
  get hasNews(): boolean {
    const { finished, usage, checkpoints } = this.#records;
    // A call that gave no row yet was paid for all the same.
    return finished.unrecorded > 0 || usage.unrecorded > 0 || checkpoints.unrecorded > 0;
  }

  /** Returns a promise to await where finished rows take too much memory: they are then recorded early. */
  makeRoom(): Promise<void> | undefined {
    if (this.#records.finished.unrecordedBytes <= unrecordedBytesMax) return undefined;
    this.writeDown();
    return this.#writing;
  }

  /** Appends what is new as `BatchProgressed`. */
  writeDown(): void {
    if (!this.hasNews) return;
    const { task, context, finished, usage } = this.#records;
    const { done, output, rejected, rejections } = finished.takeUnrecorded();
    const checkpoints = this.#records.checkpoints.takeUnrecorded();
    const data = { done, rows: output.rows, rejected, checkpoints: checkpoints.length };
    const consumed = usage.take();
    // One after the other: an attempt's events stand in the order in which its rows were finished.
    this.#writing = this.#writing.then(async () => {
      const event = await batchEvent('BatchProgressed', task, context.chunks, { output, rejections, checkpoints, consumed, data });
      await context.journal(event).catch((error: unknown) => {
        context.journalClock.remove(this);
        // Another process drives the run: the attempt's end will be refused too, and then its whole usage is recorded in the side log.
        if (!hasCode(error, 'fenced') && !hasCode(error, 'history-diverged')) throw error;
        usage.giveBack(consumed);
      });
    });
    this.#writing.then(
      () => context.load.notify(task.step.name),
      () => context.journalClock.remove(this),
    );
  }
}
