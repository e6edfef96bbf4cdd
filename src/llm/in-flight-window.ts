/**
 * How many calls may be in flight. Nothing but the callers' own concurrency bounds them, until the provider says that it is too much: then half of those
 * that were in flight may be, and for each round of calls that succeed one more (additive increase, multiplicative decrease).
 */
export class InFlightWindow {
  #limit = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #entered = 0;
  #successes = 0;
  /** Calls up to this one started before the window was last halved: they say nothing new. */
  #halvedAt = 0;

  get limit(): number {
    return this.#limit;
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#limit;
  }

  /** A call begins. Returns its number. */
  enter(): number {
    this.#inFlight++;
    return ++this.#entered;
  }

  /** A call ended, whatever came of it. */
  leave(): void {
    this.#inFlight--;
  }

  /** The provider took the call. */
  succeeded(): void {
    if (++this.#successes < this.#limit) return;
    this.#successes = 0;
    this.#limit++;
  }

  /** The provider refused the call as one too many; it is still counted as in flight. */
  refused(call: number): void {
    if (call <= this.#halvedAt) return;
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#inFlight) / 2));
    this.#halvedAt = this.#entered;
    this.#successes = 0;
  }
}
