/** Rows that a step rejects in a row with one code, and share of rejected rows, from which the step counts as broken. */
const rejectedInARowMax = 20;
const shareMax = 0.1;
const shareLeastRows = 100;

/** Watches what a step rejects since its driver started. Bad rows are few or scattered; a broken step rejects everything. */
export class RejectLimit {
  readonly #isLifted: boolean;
  #code = '';
  #inARow = 0;
  #rejected = 0;
  #rows = 0;
  #isReached = false;

  /** `isLifted`: the limit is never reached. */
  constructor(isLifted: boolean) {
    this.#isLifted = isLifted;
  }

  /** Whether the step counts as broken. Rejections in its open batches then say nothing about their rows. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Counts a row that was not rejected. */
  countAccepted(): void {
    this.#rows++;
    this.#inARow = 0;
  }

  /** Counts a rejected row. Returns why the step should pause, or null. */
  countRejected(code: string): string | null {
    this.#rows++;
    this.#rejected++;
    this.#inARow = code === this.#code ? this.#inARow + 1 : 1;
    this.#code = code;
    if (this.#isLifted) return null;
    const reason = this.#reason();
    this.#isReached ||= reason !== null;
    return reason;
  }

  #reason(): string | null {
    if (this.#inARow >= rejectedInARowMax) return `rejected ${this.#inARow} rows in a row with code ${this.#code}`;
    if (this.#rows >= shareLeastRows && this.#rejected > this.#rows * shareMax) {
      return `rejected ${this.#rejected} of ${this.#rows} rows, the last with code ${this.#code}`;
    }
    return null;
  }
}
