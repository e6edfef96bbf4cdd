import type { BatchEnd, BatchTask } from './worker-port.ts';

/** A task that a worker runs: its start is appended, and its end is not recorded yet. */
export interface RunningTask {
  readonly task: Omit<BatchTask, 'origin'>;
  readonly abort: AbortController;
}

/** The end of a task, to be appended. */
export interface TaskEnd {
  readonly running: RunningTask;
  readonly event: BatchEnd['event'];
}

/** Limits of one append: ends, and compressed bytes of their inline chunks, unless a single end has more. */
const appendEndsMax = 200;
const appendBytesMax = 1024 * 1024;

/** Ends that are not appended yet, in their order of arrival. */
export class EndQueue {
  readonly #ends: TaskEnd[] = [];

  push(end: TaskEnd): void {
    this.#ends.push(end);
  }

  /** Puts ends back that `take` returned. */
  putBack(ends: readonly TaskEnd[]): void {
    this.#ends.unshift(...ends);
  }

  /** Takes ends for the next append: all of them, unless they are large. */
  take(): readonly TaskEnd[] {
    let bytes = 0;
    const count = this.#ends.findIndex(({ event }, index) => {
      bytes += event.brings?.reduce((sum, { body }) => sum + body.byteLength, 0) ?? 0;
      return index > 0 && (bytes > appendBytesMax || index >= appendEndsMax);
    });
    return this.#ends.splice(0, count === -1 ? this.#ends.length : count);
  }
}
