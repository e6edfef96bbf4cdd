/** Calls of one step in flight, across its batches: at most `concurrency` at a time, first come, first served. */
export class Lanes {
  readonly #concurrency: number;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Takes a lane if one is free. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.#concurrency || this.#waiting.length > 0) return false;
    this.#inFlight++;
    return true;
  }

  /** Takes a lane, as soon as one is free. */
  enter(): Promise<void> {
    if (this.tryEnter()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a lane back; whoever waited longest has it next. */
  leave(): void {
    const next = this.#waiting.length > 0 ? this.#waiting.shift() : undefined;
    if (next) next();
    else this.#inFlight--;
  }
}
