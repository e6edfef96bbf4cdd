/**
 * Limits the calls in flight. There is no limit until the provider refuses a call as one too many. Then the limit becomes half of the calls in flight, and
 * rises by one after each round of successful calls (additive increase, multiplicative decrease).
 */
export class InFlightWindow {
  #limit = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #entered = 0;
  #successes = 0;
  /** Calls up to this number started before the limit was last halved, so their refusals do not halve it again. */
  #halvedAt = 0;

  get limit(): number {
    return this.#limit;
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#limit;
  }

  /** Counts a call that begins. Returns its number. */
  enter(): number {
    this.#inFlight++;
    return ++this.#entered;
  }

  /** Counts a call that ended, whatever its outcome. */
  leave(): void {
    this.#inFlight--;
  }

  /** Records that the provider accepted a call. */
  recordSuccess(): void {
    if (++this.#successes < this.#limit) return;
    this.#successes = 0;
    this.#limit++;
  }

  /** Records that the provider refused a call as one too many. The call is still counted as in flight. */
  recordRefusal(call: number): void {
    if (call <= this.#halvedAt) return;
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#inFlight) / 2));
    this.#halvedAt = this.#entered;
    this.#successes = 0;
  }
}
