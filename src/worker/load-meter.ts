/** Counts the calls left to do in the batches that a worker runs, so that a driver can keep its lanes full. */
export class LoadMeter {
  readonly #steps = new Map<string, Map<number, BatchLoad>>();
  readonly #onFreed: (step: string) => void;

  /** `onFreed` is called when a call of a step ended or finished rows were recorded: another batch may have room. */
  constructor(onFreed: (step: string) => void) {
    this.#onFreed = onFreed;
  }

  /** Begins to count a batch with `calls` calls to make. `heldBytes` returns the bytes of its finished rows in memory. */
  begin(step: string, batch: number, calls: number, heldBytes: () => number = () => 0): BatchLoad {
    const load = new BatchLoad(calls, heldBytes, () => this.#onFreed(step));
    const batches = this.#steps.get(step) ?? new Map<number, BatchLoad>();
    batches.set(batch, load);
    this.#steps.set(step, batches);
    this.notify(step);
    return load;
  }

  /** Notifies the driver that a step has fewer calls left, or fewer bytes in memory, than it knew. */
  notify(step: string): void {
    this.#onFreed(step);
  }

  /** Forgets a batch, once the end of its attempt is recorded. */
  forget(step: string, batch: number): void {
    this.#steps.get(step)?.delete(batch);
  }

  /** Returns a batch's calls in flight or not begun, or undefined if the batch has not begun. */
  unfinished(step: string, batch: number): number | undefined {
    return this.#steps.get(step)?.get(batch)?.unfinished;
  }

  /** Returns the sum of `unfinished` over the batches of a step that have begun. */
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

/** The calls left to do in one batch. */
export class BatchLoad {
  readonly heldBytes: () => number;
  readonly #onFreed: () => void;
  #unfinished: number;

  constructor(calls: number, heldBytes: () => number, onFreed: () => void) {
    this.#unfinished = calls;
    this.heldBytes = heldBytes;
    this.#onFreed = onFreed;
  }

  /** Calls in flight or not begun. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Counts a call that returned at once. The driver is not notified, because the loop that made the call makes the next one before it yields. */
  endAtOnce(): void {
    this.#unfinished--;
  }

  /** Counts a call that ended, and notifies the driver. */
  end(): void {
    this.#unfinished--;
    this.#onFreed();
  }
}
