/** Counts what is left to do of the batches that a worker runs, so that a driver can keep its lanes full. */
export class LoadMeter {
  readonly #steps = new Map<string, Map<number, BatchLoad>>();
  readonly #freed: (step: string) => void;

  /** `freed` is called when a call of a step ended, or finished rows were recorded: another batch may have room. */
  constructor(freed: (step: string) => void) {
    this.#freed = freed;
  }

  /** Begins to count a batch with so many calls to make. `heldBytes` returns the bytes of its finished rows in memory. */
  begin(step: string, batch: number, calls: number, heldBytes: () => number = () => 0): BatchLoad {
    const load = new BatchLoad(calls, heldBytes, () => this.#freed(step));
    const batches = this.#steps.get(step) ?? new Map<number, BatchLoad>();
    batches.set(batch, load);
    this.#steps.set(step, batches);
    this.notify(step);
    return load;
  }

  /** Notifies the driver that less of a step is left, or held in memory, than it knew. */
  notify(step: string): void {
    this.#freed(step);
  }

  /** Forgets a batch, once the end of its attempt is recorded. */
  forget(step: string, batch: number): void {
    this.#steps.get(step)?.delete(batch);
  }

  /** Returns a batch's calls in flight or not begun; undefined if it has not begun. */
  unfinished(step: string, batch: number): number | undefined {
    return this.#steps.get(step)?.get(batch)?.unfinished;
  }

  /** Returns the same of all batches of a step that have begun. */
  unfinishedOf(step: string): number {
    return this.#sum(step, ({ unfinished }) => unfinished);
  }

  /** Returns the bytes of a step's finished rows in memory. */
  heldBytes(step: string): number {
    return this.#sum(step, (load) => load.heldBytes());
  }

  #sum(step: string, amountOf: (load: BatchLoad) => number): number {
    let sum = 0;
    for (const load of this.#steps.get(step)?.values() ?? []) sum += amountOf(load);
    return sum;
  }
}

/** What is left to do of one batch. */
export class BatchLoad {
  readonly heldBytes: () => number;
  readonly #freed: () => void;
  #unfinished: number;

  constructor(calls: number, heldBytes: () => number, freed: () => void) {
    this.#unfinished = calls;
    this.heldBytes = heldBytes;
    this.#freed = freed;
  }

  /** Calls in flight or not begun. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Counts a call that ended at once. The driver is not notified: a loop that gives way rarely makes the next one. */
  endAtOnce(): void {
    this.#unfinished--;
  }

  /** Counts a call that ended, and notifies the driver. */
  end(): void {
    this.#unfinished--;
    this.#freed();
  }
}
