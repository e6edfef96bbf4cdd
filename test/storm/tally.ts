import type { Figures } from './area.ts';

/** What a storm counts, by what it is called in the figures. */
export class Tally {
  readonly #counts = new Map<string, number>();
  #blows = 0;

  /** Blows struck so far. */
  get blows(): number {
    return this.#blows;
  }

  struck(blow: string): void {
    this.#blows++;
    this.count(blow);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  figures(): Figures {
    return { blows: this.#blows, ...Object.fromEntries(this.#counts) };
  }
}
