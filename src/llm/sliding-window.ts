/** One amount in a window, which may be corrected once more is known. */
export interface WindowEntry {
  readonly at: number;
  amount: number;
}

/** Amounts within the last minute, at most `max` in sum. What is larger than `max` by itself is let in when nothing else is there. */
export class SlidingWindow {
  #max: number;
  readonly #entries: WindowEntry[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Lowers the most that the window holds. */
  restrict(max: number): void {
    this.#max = Math.min(this.#max, max);
  }

  /** How long until so much more fits in. 0: it does now. */
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
