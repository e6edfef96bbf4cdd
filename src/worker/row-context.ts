import type { Context, Log, Resource, Usage as ReportedUsage } from '#pipeline';
import { sha256 } from '#kit/sha256';
import { CallClock } from './call-clock.ts';

/** What a step's function gets beside its row. Made for every call, so what few steps look at is made when it is looked at. */
export class RowContext implements Context {
  readonly attempt: number;
  readonly log: Log;
  readonly use: <T>(resource: Resource<T>) => Promise<T>;
  readonly usage: (usage: ReportedUsage) => void;
  readonly checkpoint: Context['checkpoint'];
  /** The same for every attempt at a row: `run/step/batch/row`. */
  readonly key: string;
  /** The call's time-out; stands still while it waits for something else. */
  readonly clock = new CallClock();
  readonly #abort: AbortSignal;
  readonly #stopping: AbortSignal;
  readonly #runSeed: number;
  #controller: AbortController | undefined;

  constructor(given: {
    readonly attempt: number;
    readonly key: string;
    readonly runSeed: number;
    readonly abort: AbortSignal;
    readonly stopping: AbortSignal;
    readonly log: Log;
    readonly use: <T>(resource: Resource<T>) => Promise<T>;
    readonly usage: (usage: ReportedUsage) => void;
    readonly checkpoint: Context['checkpoint'];
  }) {
    this.attempt = given.attempt;
    this.key = given.key;
    this.log = given.log;
    this.use = given.use;
    this.usage = given.usage;
    this.checkpoint = given.checkpoint;
    this.#abort = given.abort;
    this.#stopping = given.stopping;
    this.#runSeed = given.runSeed;
  }

  /** Aborted when the call takes too long, or the run is stopped for good. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return AbortSignal.any([this.#controller.signal, this.#abort]);
  }

  /** A number of 32 bits that depends on the run's seed and the row's place only: the same for every attempt. */
  get seed(): number {
    return Number.parseInt(sha256(`${this.#runSeed}/${this.key.slice(this.key.indexOf('/'))}`).slice(0, 8), 16);
  }

  /** A generator of numbers in [0, 1), started from the row's seed (mulberry32). */
  get random(): () => number {
    let state = this.seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  readonly untimed = <T>(wait: Promise<T> | ((signal: AbortSignal) => Promise<T>)): Promise<T> =>
    this.clock.untimed(typeof wait === 'function' ? wait(AbortSignal.any([this.signal, this.#stopping])) : wait);

  /** Tells the call that nobody waits for it any more. */
  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
