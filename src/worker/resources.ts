import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { inScope } from '../kit/error-scope.ts';
import type { Log, Resource } from '../pipeline/index.ts';

/** Clients and models that steps use. Each is opened once, on first use, and closed at the end. */
export class Resources {
  readonly #open = new Map<Resource<unknown>, Promise<unknown>>();
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #resourceFor: (original: Resource<unknown>) => Resource<unknown>;

  readonly #onUnawaited: (message: string, thrown: unknown) => void;

  /** `onUnawaited` receives unawaited errors that stem from a resource: no row that uses the resource caused them. */
  constructor({
    signal,
    log,
    resourceFor = (original) => original,
    onUnawaited,
  }: {
    readonly signal: AbortSignal;
    readonly log: Log;
    readonly resourceFor?: ((original: Resource<unknown>) => Resource<unknown>) | undefined;
    readonly onUnawaited: (message: string, thrown: unknown) => void;
  }) {
    this.#signal = signal;
    this.#log = log;
    this.#resourceFor = resourceFor;
    this.#onUnawaited = onUnawaited;
  }

  /**
   * Returns the value of a resource, and opens it first if necessary. Throws `Fault('resource-failed')`, or the error itself if its code is `auth` or
   * `quota`; no row causes either. The next call tries to open the resource again.
   */
  use<T>(original: Resource<T>): Promise<T> {
    const resource = this.#resourceFor(original) as Resource<T>;
    const openPromise = this.#open.get(resource) as Promise<T> | undefined;
    if (openPromise) return openPromise;
    const scope = { capture: (thrown: unknown) => this.#onUnawaited(`resource ${resource.id}`, thrown) };
    const opened = Promise.resolve()
      .then(() => inScope(scope, () => resource.open({ signal: this.#signal, log: this.#log })))
      .catch((cause: unknown) => {
        this.#open.delete(resource);
        // A missing or refused key keeps its own code: opening the resource again would not help.
        if (hasCode(cause, 'auth') || hasCode(cause, 'quota')) throw cause;
        throw new Fault('resource-failed', `Resource ${resource.id} cannot be opened: ${messageOf(cause)}`, {
          details: { resource: resource.id },
          cause,
        });
      });
    this.#open.set(resource, opened);
    return opened;
  }

  /** Closes the opened resources, last first. Logs those that do not close. */
  async close(): Promise<void> {
    for (const [resource, opened] of [...this.#open].reverse()) {
      try {
        const value = await opened;
        await resource.close?.(value as never);
        const disposable = value as { [Symbol.asyncDispose]?: () => PromiseLike<void>; [Symbol.dispose]?: () => void } | null;
        if (!resource.close) await (disposable?.[Symbol.asyncDispose]?.() ?? disposable?.[Symbol.dispose]?.());
      } catch (error) {
        this.#log.warn(`resource ${resource.id} did not close: ${messageOf(error)}`);
      }
    }
    this.#open.clear();
  }
}
