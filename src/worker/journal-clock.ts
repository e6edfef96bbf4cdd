/** Milliseconds between two looks at the running attempts. */
const tickMs = 200;
/** Looks after which news is written down: it is then between 600 and 800 ms old, so with the append less than the second that is promised. */
const ticksMax = 4;

/** A running attempt, as far as its journal goes. */
export interface Journaled {
  /** Whether it has anything that no event contains. */
  readonly hasNews: boolean;
  /** Writes that down. */
  writeDown(): void;
}

/**
 * Has running attempts write down what they finished, before it is a second old. All attempts share one clock, so what is due goes out in one append; and an
 * attempt writes only as late as it may, so that an event holds as many rows as possible, however many batches are open.
 */
export class JournalClock {
  /** By attempt, in how many looks it had news. */
  readonly #attempts = new Map<Journaled, number>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Starts to look at an attempt. */
  add(attempt: Journaled): void {
    this.#attempts.set(attempt, 0);
    this.#timer ??= setInterval(() => this.#look(), tickMs);
  }

  /** Stops looking at an attempt. */
  remove(attempt: Journaled): void {
    this.#attempts.delete(attempt);
    if (this.#attempts.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const [attempt, ticks] of this.#attempts) {
      const seen = attempt.hasNews ? ticks + 1 : 0;
      this.#attempts.set(attempt, seen % ticksMax);
      if (seen === ticksMax) attempt.writeDown();
    }
  }
}
