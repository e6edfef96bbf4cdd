/** Longest delay of a timer. A timer with a longer delay would fire at once. */
const timerMaxMs = 2 ** 31 - 1;

/** Lets one caller wait until it is woken or a time has passed. */
export class Alarm {
  #wake: () => void = () => undefined;

  /** Ends the wait, if there is one. */
  wake(): void {
    this.#wake();
  }

  /** Waits for `wake`, at most `maxMs` milliseconds, or without limit (null). */
  wait(maxMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = maxMs === null ? undefined : setTimeout(() => this.#wake(), Math.min(timerMaxMs, Math.max(1, Math.ceil(maxMs))));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }
}
