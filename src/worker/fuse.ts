/** Rows rejected running with one code, and share of rejected rows, at which a step is taken to be broken rather than its rows bad. */
const runningMax = 20;
const shareMax = 0.1;
const shareLeastRows = 100;

/** Watches what a step rejects since its driver started. Bad rows are few or scattered; a broken step rejects everything. */
export class Fuse {
  readonly #isLifted: boolean;
  #code = '';
  #running = 0;
  #rejected = 0;
  #rows = 0;
  #hasTripped = false;

  /** `isLifted`: never trips. */
  constructor(isLifted: boolean) {
    this.#isLifted = isLifted;
  }

  /** Whether the step is taken to be broken: what its open batches rejected says nothing about their rows. */
  get hasTripped(): boolean {
    return this.#hasTripped;
  }

  /** A row came through. */
  accepted(): void {
    this.#rows++;
    this.#running = 0;
  }

  /** A row was given up. Returns why the step should pause, or null. */
  rejected(code: string): string | null {
    this.#rows++;
    this.#rejected++;
    this.#running = code === this.#code ? this.#running + 1 : 1;
    this.#code = code;
    if (this.#isLifted) return null;
    const why = this.#why();
    this.#hasTripped ||= why !== null;
    return why;
  }

  #why(): string | null {
    if (this.#running >= runningMax) return `${this.#running} rows running were rejected with ${this.#code}`;
    if (this.#rows >= shareLeastRows && this.#rejected > this.#rows * shareMax) {
      return `${this.#rejected} of ${this.#rows} rows were rejected, the last with ${this.#code}`;
    }
    return null;
  }
}
