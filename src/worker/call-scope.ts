import { describeThrown } from '../kit/describe-thrown.ts';
import type { ErrorScope } from '../kit/error-scope.ts';
import { messageOf } from '../kit/fault.ts';

/** A batch as its calls know it: the attempt under way, or, once that has ended, nothing but its run. */
export interface BatchLink {
  /** Null once the attempt has ended: what outlives it (sockets, timers) must not hold its rows. */
  attempt: { loseUnawaited(row: number | null, thrown: unknown): void } | null;
  /** Pauses the run. */
  readonly late: (thrown: unknown) => void;
  /** Reports an error of a call whose failure is recorded already. */
  readonly ignored: (thrown: unknown) => void;
}

/** The scope of one call of a step's function: about a row, or about many rows of its batch (null). */
export class CallScope implements ErrorScope {
  #batch: BatchLink;
  readonly #row: number | null;
  #giveUp: ((reason: unknown) => void) | null = null;
  #hasFailed = false;

  constructor(batch: BatchLink, row: number | null) {
    this.#batch = batch;
    this.#row = row;
  }

  /** A source's scope moves on with its batches. */
  moveTo(batch: BatchLink): void {
    this.#batch = batch;
    this.#hasFailed = false;
  }

  /** The call waits for a promise: an error ends it through `giveUp`. */
  await(giveUp: (reason: unknown) => void): void {
    this.#giveUp = giveUp;
  }

  /** The call has ended. */
  end(hasFailed: boolean): void {
    this.#giveUp = null;
    this.#hasFailed ||= hasFailed;
  }

  lose(thrown: unknown): void {
    if (this.#hasFailed) this.#batch.ignored(thrown);
    else if (this.#giveUp) this.#giveUp(new UnawaitedError(thrown));
    else if (this.#batch.attempt) this.#batch.attempt.loseUnawaited(this.#row, new UnawaitedError(thrown));
    else this.#batch.late(thrown);
  }
}

/** An error that no call awaited, as the failure of the call that started what threw it. */
export class UnawaitedError extends Error {
  override readonly name = 'UnawaitedError';
  readonly code = 'unhandled-rejection';

  constructor(thrown: unknown) {
    super(`Nothing awaited what the step started: ${messageOf(thrown)}`, { cause: thrown });
    this.stack = describeThrown(thrown).stack || this.stack || '';
  }
}
