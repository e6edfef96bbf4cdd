/** Milliseconds between two checks of the running attempts. */
const tickMs = 200;
/** Checks after which unrecorded work is flushed. It is then 600 to 800 ms old, so that it is durable within the promised second. */
const ticksMax = 4;

/** The journal of a running attempt. */
export interface Journaled {
  /** Whether the attempt has work that no event contains. */
  readonly hasUnrecorded: boolean;
  /** Records that work. */
  flush(): void;
}

/**
 * Flushes the unrecorded work of running attempts before it is a second old. All attempts share one clock, so everything due goes out in one append. Each
 * attempt is flushed as late as possible, so that an event holds as many rows as possible, however many batches are open.
 */
export class JournalClock {
  /** By attempt, the consecutive checks at which it had unrecorded work. */
  readonly #attempts = new Map<Journaled, number>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Starts to check an attempt. */
  add(attempt: Journaled): void {
    this.#attempts.set(attempt, 0);
    this.#timer ??= setInterval(() => this.#check(), tickMs);
  }

  /** Stops checking an attempt. */
  remove(attempt: Journaled): void {
    this.#attempts.delete(attempt);
    if (this.#attempts.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    for (const [attempt, ticks] of this.#attempts) {
      const checks = attempt.hasUnrecorded ? ticks + 1 : 0;
      this.#attempts.set(attempt, checks % ticksMax);
      if (checks === ticksMax) attempt.flush();
    }
  }
}
