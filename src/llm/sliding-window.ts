/** An amount in a window. It may be corrected later, when the actual amount is known. */
export interface WindowEntry {
  readonly at: number;
  amount: number;
}

/** Limits the sum of amounts within one minute to `max`. An amount above `max` is admitted when the window is empty. */
export class SlidingWindow {
  #max: number;
  readonly #entries: WindowEntry[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Lowers the maximum. */
  restrict(max: number): void {
    this.#max = Math.min(this.#max, max);
  }

  /** Returns the milliseconds until an amount fits, or 0 if it fits now. */
  waitMs(amount: number, now: number): number {
    while (this.#entries[0] && this.#entries[0].at + windowMs <= now) this.#entries.shift();
    let excess = this.#entries.reduce((sum, entry) => sum + entry.amount, 0) + amount - this.#max;
    let last: WindowEntry | undefined;
    for (const entry of this.#entries) {
      if (excess <= 0) break;
      excess -= entry.amount;
      last = entry;
    }
    return last ? last.at + windowMs - now : 0;
  }

  add(amount: number, now: number): WindowEntry {
    const entry = { at: now, amount };
    if (Number.isFinite(this.#max)) this.#entries.push(entry);
    return entry;
  }
}

const windowMs = 60_000;
