import { areScopesWatched } from '../kit/error-scope.ts';
import { CallScope, type BatchLink } from './call-scope.ts';
import type { RowFailure } from './row-failure.ts';

/** Errors that an attempt's calls started and that nothing awaited. Those of calls that have ended are kept until the attempt ends. */
export class UnawaitedErrors {
  readonly #link: BatchLink;
  /** By the row that they stem from; null: some row, or the batch. */
  readonly #failures = new Map<number | null, RowFailure>();
  #hasScopes = false;

  constructor(link: BatchLink) {
    this.#link = link;
  }

  /** Returns a scope for a call about a row, or about many rows (null). `known` is a source's, which moves on with its batches. */
  scope(row: number | null, known?: CallScope): CallScope {
    this.#hasScopes = true;
    known?.moveTo(this.#link);
    return known ?? new CallScope(this.#link, row);
  }

  /** Keeps an error, unless the row has one. `failure` is called only where it is kept. */
  add(row: number | null, failure: () => RowFailure): void {
    if (!this.#failures.has(row)) this.#failures.set(row, failure());
  }

  /** Throws the first error, if one came. Else later errors are not the attempt's. */
  async throwFirst(): Promise<void> {
    await this.#turn();
    const [first] = this.#failures.values();
    this.#failures.clear();
    if (first) throw Object.assign(new Error(first.failure.message), { ...first.failure, retryable: first.retryable });
    this.detach();
  }

  /** Returns the errors that came, by row. Later errors are not the attempt's. */
  async close(): Promise<ReadonlyMap<number | null, RowFailure>> {
    await this.#turn();
    this.detach();
    return this.#failures;
  }

  /** Attributes later errors no more to the attempt. */
  detach(): void {
    this.#link.attempt = null;
  }

  /** Lets Node report rejections that have happened and that nothing awaits: it does so between turns of the event loop. */
  async #turn(): Promise<void> {
    if (this.#hasScopes && areScopesWatched()) await new Promise(setImmediate);
  }
}
