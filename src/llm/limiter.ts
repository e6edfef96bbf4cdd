import { InFlightWindow } from './in-flight-window.ts';
import { SlidingWindow, type WindowEntry } from './sliding-window.ts';
import { systemTime, type Time } from './time.ts';

/** The limits of a provider per minute. */
export interface Caps {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

/** The outcome of an admitted call. */
export type Outcome =
  | { readonly kind: 'answered'; readonly tokens: number; readonly outputTokens: number }
  | { readonly kind: 'refused'; readonly retryAfterMs: number | null }
  | { readonly kind: 'failed' };

/** The expected size of a call. */
export interface Size {
  /** Number of characters in the request. */
  readonly characters: number;
  readonly maxOutputTokens?: number | undefined;
}

/** An admitted call. The caller must end it exactly once. */
export interface Admission {
  end(outcome: Outcome): void;
}

interface Waiting {
  readonly tokens: number;
  readonly admit: (admission: Admission) => void;
}

/** Average number of characters per token, in most languages and models. */
const charactersPerToken = 4;
/** Expected number of tokens of an answer before the first one has arrived. */
const outputTokensGuess = 256;

/**
 * Admits calls to one model for all steps of the process, in the order of their requests. It keeps the calls within what the provider accepts concurrently,
 * after the time that the provider named (`Retry-After`), and within the caps per minute.
 */
export class Limiter {
  readonly #time: Time;
  readonly #inFlight = new InFlightWindow();
  readonly #requests = new SlidingWindow(Number.POSITIVE_INFINITY);
  readonly #tokens = new SlidingWindow(Number.POSITIVE_INFINITY);
  readonly #queue = new Set<Waiting>();
  #heldUntil = Number.NEGATIVE_INFINITY;
  #meanOutputTokens = outputTokensGuess;
  #wakeUp: (() => void) | undefined;

  constructor(caps: Caps = {}, time: Time = systemTime) {
    this.#time = time;
    this.restrict(caps);
  }

  /** Adds caps. The lowest of several applies. */
  restrict({ requestsPerMinute, tokensPerMinute }: Caps): void {
    this.#requests.restrict(requestsPerMinute ?? Number.POSITIVE_INFINITY);
    this.#tokens.restrict(tokensPerMinute ?? Number.POSITIVE_INFINITY);
  }

  /** The current limit of calls in flight. */
  get inFlightMax(): number {
    return this.#inFlight.limit;
  }

  /** Milliseconds until calls are admitted again, as the provider asked. */
  get heldMs(): number {
    return Math.max(0, this.#heldUntil - this.#time.now());
  }

  /** Waits until a call is admitted. Throws the signal's reason if it is aborted first. */
  admit({ characters, maxOutputTokens }: Size, signal: AbortSignal): Promise<Admission> {
    const guess =
      Math.ceil(characters / charactersPerToken) + Math.min(this.#meanOutputTokens, maxOutputTokens ?? Number.POSITIVE_INFINITY);
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const waiting: Waiting = {
        tokens: Math.ceil(guess),
        admit: (admission) => {
          signal.removeEventListener('abort', giveUp);
          resolve(admission);
        },
      };
      const giveUp = () => {
        this.#queue.delete(waiting);
        reject(signal.reason as Error);
        this.#admitNext();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#queue.add(waiting);
      this.#admitNext();
    });
  }

  #admitNext(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
    for (const waiting of this.#queue) {
      if (!this.#inFlight.hasRoom) return;
      const now = this.#time.now();
      const waitMs = Math.max(this.#heldUntil - now, this.#requests.waitMs(1, now), this.#tokens.waitMs(waiting.tokens, now));
      if (waitMs > 0) {
        this.#wakeUp = this.#time.after(waitMs, () => this.#admitNext());
        return;
      }
      this.#queue.delete(waiting);
      this.#requests.add(1, now);
      waiting.admit(this.#admission(this.#inFlight.enter(), this.#tokens.add(waiting.tokens, now)));
    }
  }

  #admission(call: number, tokens: WindowEntry): Admission {
    return {
      end: (outcome) => {
        if (outcome.kind === 'answered') {
          this.#inFlight.recordSuccess();
          tokens.amount = outcome.tokens;
          this.#meanOutputTokens += (outcome.outputTokens - this.#meanOutputTokens) / 16;
        }
        if (outcome.kind === 'refused') {
          this.#inFlight.recordRefusal(call);
          tokens.amount = 0;
          this.#heldUntil = Math.max(this.#heldUntil, this.#time.now() + (outcome.retryAfterMs ?? 0));
        }
        this.#inFlight.leave();
        this.#admitNext();
      },
    };
  }
}
