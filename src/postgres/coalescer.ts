/** Bounds of the calls that a `Coalescer` makes. */
export interface CoalescerOptions<Item> {
  /** Concurrent calls. Items that arrive meanwhile go into the next call. */
  readonly runningMax: number;
  /** Items in a call, and their total weight. A single heavier item has a call of its own. */
  readonly countMax: number;
  readonly weightMax: number;
  readonly weightOf: (item: Item) => number;
}

/** Combines concurrent requests into few calls. Each caller receives the result of its own item. If a call fails, all its callers are rejected. */
export class Coalescer<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #options: CoalescerOptions<Item>;
  readonly #waiting: { readonly item: Item; readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void }[] = [];
  #running = 0;

  /** `work` returns a result for each item, in order. */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>, options: CoalescerOptions<Item>) {
    this.#work = work;
    this.#options = options;
  }

  /** Returns the result of an item once the call that contains it has finished. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running < this.#options.runningMax) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    // Requests that follow from promises settled already join this call: a tick runs after them.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (let requests = this.#take(); requests.length > 0; requests = this.#take()) {
      try {
        const results = await this.#work(requests.map(({ item }) => item));
        requests.forEach(({ resolve }, index) => resolve(results[index] as Result));
      } catch (error) {
        for (const { reject } of requests) reject(error);
      }
    }
    this.#running--;
  }

  #take() {
    const { countMax, weightMax, weightOf } = this.#options;
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += weightOf(item);
      return index > 0 && (weight > weightMax || index >= countMax);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }
}
