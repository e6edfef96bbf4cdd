/** Limits the time of a call. Waits under `untimed` do not count. */
export class CallClock {
  #leftMs = Number.POSITIVE_INFINITY;
  #since = 0;
  #waits = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onOver: () => void = () => undefined;

  /** Calls `onOver` once the call has run for `timeoutMs`. */
  start(timeoutMs: number, onOver: () => void): void {
    this.#leftMs = timeoutMs;
    this.#onOver = onOver;
    if (this.#waits === 0) this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#onOver = () => undefined;
    this.#leftMs = Number.POSITIVE_INFINITY;
  }

  /** Stops the clock until `wait` settles. */
  async untimed<T>(wait: Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#halt();
    try {
      return await wait;
    } finally {
      if (--this.#waits === 0) this.#run();
    }
  }

  #run(): void {
    if (this.#leftMs === Number.POSITIVE_INFINITY) return;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#onOver(), this.#leftMs);
  }

  #halt(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#since));
  }
}
