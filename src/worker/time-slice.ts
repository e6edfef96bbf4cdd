/** Time after which work that never waits yields to the event loop. */
const sliceMs = 20;
/** Reading the clock costs as much as a trivial row. While rows take less than this together, the clock is read every 2 or 4 rows. */
const briefMs = 1;
const rowsBetweenReadsMax = 4;

/** Keeps work that processes one row after the other, and may never wait by itself, from blocking the process. */
export class TimeSlice {
  #began = performance.now();
  #read = this.#began;
  #rowsBetweenReads = 1;
  #left = 1;

  /** Counts a processed row. Returns a promise to await if the slice is used up. */
  endRow(): Promise<void> | undefined {
    if (--this.#left > 0) return undefined;
    const now = performance.now();
    this.#rowsBetweenReads = now - this.#read < briefMs ? Math.min(2 * this.#rowsBetweenReads, rowsBetweenReadsMax) : 1;
    this.#left = this.#rowsBetweenReads;
    this.#read = now;
    return now - this.#began > sliceMs ? this.#yield() : undefined;
  }

  async #yield(): Promise<void> {
    await new Promise(setImmediate);
    this.#began = this.#read = performance.now();
  }
}
