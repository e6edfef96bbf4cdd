import type { Figures } from '../area.ts';

/** Counts of a storm, by their names in the figures. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #points = new Set<string>();
  #blows = 0;

  /** Returns the number of faults injected so far. */
  get blows(): number {
    return this.#blows;
  }

  struck(blow: string): void {
    this.#blows++;
    this.count(blow);
  }

  /** Counts a kill at a point. The figures contain only the number of different points, because there are many. */
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
