/** How much is done together. */
export interface GatheredOptions<Item> {
  /** Calls under way: what comes meanwhile goes together in the next. */
  readonly runningMax: number;
  /** Items in a call, and what they may weigh together, unless a single one is heavier. */
  readonly countMax: number;
  readonly weightMax: number;
  readonly weightOf: (item: Item) => number;
}

/** Does what many ask for at about the same time in a few calls. Each gets what was done about its own item; all of a call that fails get its error. */
export class Gathered<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #options: GatheredOptions<Item>;
  readonly #waiting: { readonly item: Item; readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void }[] = [];
  #running = 0;

  /** `work` gives a result for each item, in their order. */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>, options: GatheredOptions<Item>) {
    this.#work = work;
    this.#options = options;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running < this.#options.runningMax) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    // Whoever else asks because of what is happening now comes along: ticks come after all promises that are settled already.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (let some = this.#take(); some.length > 0; some = this.#take()) {
      try {
        const results = await this.#work(some.map(({ item }) => item));
        some.forEach(({ resolve }, index) => resolve(results[index] as Result));
      } catch (error) {
        for (const { reject } of some) reject(error);
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
