import type { Figures } from '../area.ts';

/** What a storm counts, by what it is called in the figures. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #points = new Set<string>();
  #blows = 0;

  /** Blows struck so far. */
  get blows(): number {
    return this.#blows;
  }

  struck(blow: string): void {
    this.#blows++;
    this.count(blow);
  }

  /** Of many kinds of blows, how many kinds there were is worth telling. */
  struckAt(point: string): void {
    this.#blows++;
    this.#points.add(point);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  figures(): Figures {
    const points = this.#points.size > 0 ? { points: this.#points.size } : {};
    return { blows: this.#blows, ...points, ...Object.fromEntries(this.#counts) };
  }
}
