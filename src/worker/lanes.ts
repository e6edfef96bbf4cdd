/** Limits the calls of one step in flight, across its batches, to `concurrency`. First come, first served. */
export class Lanes {
  readonly #concurrency: number;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Takes a lane if one is free, and returns whether it did. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.#concurrency || this.#waiting.length > 0) return false;
    this.#inFlight++;
    return true;
  }

  /** Takes a lane as soon as one is free. */
  enter(): Promise<void> {
    if (this.tryEnter()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Frees a lane and gives it to the caller that has waited longest. */
  leave(): void {
    const next = this.#waiting.length > 0 ? this.#waiting.shift() : undefined;
    if (next) next();
    else this.#inFlight--;
  }
}
