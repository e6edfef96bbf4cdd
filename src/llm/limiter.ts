import { InFlightWindow } from './in-flight-window.ts';
import { SlidingWindow, type WindowEntry } from './sliding-window.ts';
import { systemTime, type Time } from './time.ts';

/** What a provider allows a minute. */
export interface Caps {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

/** What came of an admitted call. */
export type Outcome =
  | { readonly kind: 'answered'; readonly tokens: number; readonly outputTokens: number }
  | { readonly kind: 'refused'; readonly retryAfterMs: number | null }
  | { readonly kind: 'failed' };

/** How large a call is likely to be. */
export interface Size {
  /** Characters of what is asked. */
  readonly characters: number;
  readonly maxOutputTokens?: number | undefined;
}

/** An admitted call, to be ended exactly once. */
export interface Admission {
  end(outcome: Outcome): void;
}

interface Waiting {
  readonly tokens: number;
  readonly admit: (admission: Admission) => void;
}

/** A token is about so many characters, in most languages and models. */
const charactersPerToken = 4;
/** Tokens of an answer where none has come back yet. */
const outputTokensGuess = 256;

/**
 * Admits calls to one model, in the order in which they ask, for all steps of the process: no more in flight than the provider bears, none before the time
 * that it named (`Retry-After`), no more a minute than the caps allow.
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

  /** Takes further caps into account: of several, the lowest counts. */
  restrict({ requestsPerMinute, tokensPerMinute }: Caps): void {
    this.#requests.restrict(requestsPerMinute ?? Number.POSITIVE_INFINITY);
    this.#tokens.restrict(tokensPerMinute ?? Number.POSITIVE_INFINITY);
  }

  /** Calls that may be in flight at present. */
  get inFlightMax(): number {
    return this.#inFlight.limit;
  }

  /** For how long no call is admitted, as the provider asked. */
  get heldMs(): number {
    return Math.max(0, this.#heldUntil - this.#time.now());
  }

  /** Waits for a call's turn. Throws the signal's reason once it is aborted. */
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
          this.#inFlight.succeeded();
          tokens.amount = outcome.tokens;
          this.#meanOutputTokens += (outcome.outputTokens - this.#meanOutputTokens) / 16;
        }
        if (outcome.kind === 'refused') {
          this.#inFlight.refused(call);
          tokens.amount = 0;
          this.#heldUntil = Math.max(this.#heldUntil, this.#time.now() + (outcome.retryAfterMs ?? 0));
        }
        this.#inFlight.leave();
        this.#admitNext();
      },
    };
  }
}
