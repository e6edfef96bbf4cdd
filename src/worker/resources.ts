import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { inScope } from '../kit/error-scope.ts';
import type { Log, Resource } from '../pipeline/index.ts';

/** Clients and models that steps use: each is opened once, when it is first asked for, and closed at the end. */
export class Resources {
  readonly #open = new Map<Resource<unknown>, Promise<unknown>>();
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #resourceFor: (asked: Resource<unknown>) => Resource<unknown>;

  readonly #onLost: (message: string, thrown: unknown) => void;

  /** `onLost` gets errors that nothing awaited and that stem from a resource: they are the fault of no row that uses it. */
  constructor({
    signal,
    log,
    resourceFor = (asked) => asked,
    onLost,
  }: {
    readonly signal: AbortSignal;
    readonly log: Log;
    readonly resourceFor?: ((asked: Resource<unknown>) => Resource<unknown>) | undefined;
    readonly onLost: (message: string, thrown: unknown) => void;
  }) {
    this.#signal = signal;
    this.#log = log;
    this.#resourceFor = resourceFor;
    this.#onLost = onLost;
  }

  /** The value of a resource. Throws `Fault('resource-failed')`, or the error itself if its code is `auth` or `quota`: never a row's fault. The next one who asks tries again. */
  use<T>(asked: Resource<T>): Promise<T> {
    const resource = this.#resourceFor(asked) as Resource<T>;
    const known = this.#open.get(resource) as Promise<T> | undefined;
    if (known) return known;
    const scope = { lose: (thrown: unknown) => this.#onLost(`resource ${resource.id}`, thrown) };
    const opened = Promise.resolve()
      .then(() => inScope(scope, () => resource.open({ signal: this.#signal, log: this.#log })))
      .catch((cause: unknown) => {
        this.#open.delete(resource);
        // A key that is missing or refused is told as what it is: opening again does not help.
        if (hasCode(cause, 'auth') || hasCode(cause, 'quota')) throw cause;
        throw new Fault('resource-failed', `Resource ${resource.id} cannot be opened: ${messageOf(cause)}`, {
          details: { resource: resource.id },
          cause,
        });
      });
    this.#open.set(resource, opened);
    return opened;
  }

  /** Closes what was opened, last first. What fails to close is told and left. */
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
