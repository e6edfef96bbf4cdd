interface CacheEntry<Value> {
  value: Value | undefined;
  readonly weight: number;
  /** In which it was last used. */
  turn: number;
}

/**
 * Keeps what was used last, up to a total weight. What is pushed out is let go of at once: the table that a map had before it grew may have become old, holds on
 * to all later ones, and what an entry in them has would outlive the young generation, though nobody could reach it.
 */
export class BoundedCache<Value> {
  readonly #entries = new Map<string, CacheEntry<Value>>();
  readonly #weightMax: number;
  #weight = 0;
  #turn = 0;

  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.turn = this.#turn;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value; one that is heavier than the whole cache pushes everything else out and stays until the next. */
  set(key: string, value: Value, weight: number): void {
    this.delete(key);
    this.#entries.set(key, { value, weight, turn: this.#turn });
    this.#weight += weight;
    for (const [oldest] of this.#entries) {
      if (this.#weight <= this.#weightMax || oldest === key) break;
      this.delete(oldest);
    }
  }

  /** A value that is still kept has become heavier. */
  add(key: string, value: Value, weight: number): void {
    const entry = this.#entries.get(key);
    if (entry?.value === value) this.set(key, value, entry.weight + weight);
  }

  /** Begins another turn: what was used in none of the last `turnsKept` is pushed out. */
  nextTurn(turnsKept: number): void {
    this.#turn++;
    for (const [oldest, { turn }] of this.#entries) {
      if (this.#turn - turn <= turnsKept) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    entry.value = undefined;
    this.#weight -= entry.weight;
  }
}
