/** After so long, work that never waits gives way to the rest of the process. */
const turnMs = 20;
/** A clock is as dear as a trivial row: rows that took less than this together are looked at twice as many at a time. So many slow ones may follow. */
const briefMs = 1;
const rowsAtATimeMax = 4;

/** The turns of work that does one row after the other, and may never wait by itself. */
export class Turns {
  #began = performance.now();
  #looked = this.#began;
  #atATime = 1;
  #left = 1;

  /** After a row. Await what it returns, if it does: the turn is over. */
  over(): Promise<void> | undefined {
    if (--this.#left > 0) return undefined;
    const now = performance.now();
    this.#atATime = now - this.#looked < briefMs ? Math.min(2 * this.#atATime, rowsAtATimeMax) : 1;
    this.#left = this.#atATime;
    this.#looked = now;
    return now - this.#began > turnMs ? this.#next() : undefined;
  }

  async #next(): Promise<void> {
    await new Promise(setImmediate);
    this.#began = this.#looked = performance.now();
  }
}
