import { areScopesWatched } from '../kit/error-scope.ts';
import { CallScope, type BatchLink } from './call-scope.ts';
import type { RowFailure } from './row-failure.ts';

/** Unawaited errors of an attempt's calls. Errors of calls that have ended are kept until the attempt ends. */
export class UnawaitedErrors {
  readonly #link: BatchLink;
  /** By the row that they stem from, or null for an unknown row or the batch. */
  readonly #failures = new Map<number | null, RowFailure>();
  #hasScopes = false;

  constructor(link: BatchLink) {
    this.#link = link;
  }

  /** Returns the error scope of a call for one row, or for many rows (null). `sourceScope` is the scope of an open source, which moves to its next batch. */
  scope(row: number | null, sourceScope?: CallScope): CallScope {
    this.#hasScopes = true;
    sourceScope?.moveTo(this.#link);
    return sourceScope ?? new CallScope(this.#link, row);
  }

  /** Keeps an error, unless the row has one. `failure` is called only if the error is kept. */
  add(row: number | null, failure: () => RowFailure): void {
    if (!this.#failures.has(row)) this.#failures.set(row, failure());
  }

  /** Throws the first error. If there is none, detaches the attempt from later ones. */
  async throwFirst(): Promise<void> {
    await this.#letNodeReport();
    const [first] = this.#failures.values();
    this.#failures.clear();
    if (first) throw Object.assign(new Error(first.failure.message), { ...first.failure, retryable: first.retryable });
    this.detach();
  }

  /** Returns the errors by row, and detaches the attempt from later ones. */
  async close(): Promise<ReadonlyMap<number | null, RowFailure>> {
    await this.#letNodeReport();
    this.detach();
    return this.#failures;
  }

  /** Stops attributing errors to the attempt. */
  detach(): void {
    this.#link.attempt = null;
  }

  /** Lets Node report the unawaited rejections that have happened, which it does between two turns of the event loop. */
  async #letNodeReport(): Promise<void> {
    if (this.#hasScopes && areScopesWatched()) await new Promise(setImmediate);
  }
}
