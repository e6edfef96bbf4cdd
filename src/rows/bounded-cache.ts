interface CacheEntry<Value> {
  value: Value | undefined;
  readonly weight: number;
  /** The turn in which it was last used. */
  turn: number;
}

/**
 * Caches the last used values up to a total weight. An evicted entry also clears its `value`. After a map has grown, V8 may keep its old hash table alive, which
 * refers to the later ones. Evicted values would then reach the old generation although they are unreachable.
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

  /** Caches a value. A value that is heavier than the whole cache evicts all others and stays until the next one. */
  set(key: string, value: Value, weight: number): void {
    this.delete(key);
    this.#entries.set(key, { value, weight, turn: this.#turn });
    this.#weight += weight;
    for (const [oldest] of this.#entries) {
      if (this.#weight <= this.#weightMax || oldest === key) break;
      this.delete(oldest);
    }
  }

  /** Adds to the weight of a value, if it is still cached. */
  add(key: string, value: Value, weight: number): void {
    const entry = this.#entries.get(key);
    if (entry?.value === value) this.set(key, value, entry.weight + weight);
  }

  /** Starts a new turn, and evicts values that were not used in the last `turnsKept` turns. */
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
