import { describeThrown } from '../kit/describe-thrown.ts';
import type { ErrorScope } from '../kit/error-scope.ts';
import { messageOf } from '../kit/fault.ts';

/** Connects the calls of a batch to their attempt, and to the run alone once the attempt has ended. */
export interface BatchLink {
  /** Null once the attempt has ended: sockets and timers that outlive it must not keep its rows in memory. */
  attempt: { captureUnawaited(row: number | null, thrown: unknown): void } | null;
  /** Pauses the run. */
  readonly pauseRun: (thrown: unknown) => void;
  /** Logs an error of a call whose failure is recorded already. */
  readonly logIgnored: (thrown: unknown) => void;
}

/** Error scope of one call of a step's function, for one row or for many rows of its batch (null). */
export class CallScope implements ErrorScope {
  #batch: BatchLink;
  readonly #row: number | null;
  #giveUp: ((reason: unknown) => void) | null = null;
  #hasFailed = false;

  constructor(batch: BatchLink, row: number | null) {
    this.#batch = batch;
    this.#row = row;
  }

  /** Moves the scope of a source to its next batch. */
  moveTo(batch: BatchLink): void {
    this.#batch = batch;
    this.#hasFailed = false;
  }

  /** Passes an error of this scope to `giveUp`, which ends the call while it waits for a promise. */
  endOnError(giveUp: (reason: unknown) => void): void {
    this.#giveUp = giveUp;
  }

  /** Marks the call as ended. Later errors go to the attempt, or are only logged if the call failed. */
  end(hasFailed: boolean): void {
    this.#giveUp = null;
    this.#hasFailed ||= hasFailed;
  }

  capture(thrown: unknown): void {
    if (this.#hasFailed) this.#batch.logIgnored(thrown);
    else if (this.#giveUp) this.#giveUp(new UnawaitedError(thrown));
    else if (this.#batch.attempt) this.#batch.attempt.captureUnawaited(this.#row, new UnawaitedError(thrown));
    else this.#batch.pauseRun(thrown);
  }
}

/** An error that no call awaited. It becomes the failure of the call that started the promise or timer. */
export class UnawaitedError extends Error {
  override readonly name = 'UnawaitedError';
  readonly code = 'unhandled-rejection';

  constructor(thrown: unknown) {
    super(`The step started a promise or timer that failed, and did not await it: ${messageOf(thrown)}`, { cause: thrown });
    this.stack = describeThrown(thrown).stack || this.stack || '';
  }
}
