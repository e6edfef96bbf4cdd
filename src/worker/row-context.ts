import type { Context, Log, Resource, Usage } from '../pipeline/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { Attempt } from './attempt.ts';
import { CallClock } from './call-clock.ts';
import type { Owner } from './checkpoints.ts';
import type { Origins } from './origins.ts';

/** What a step's function gets beside its row. There is one for every call, so what few functions look at is made when it is looked at. */
export class RowContext implements Context {
  readonly #owner: Attempt;
  readonly #row: Owner;
  readonly #first: number;
  readonly #origins: Origins;
  #clock: CallClock | undefined;
  #controller: AbortController | undefined;

  /** Of a call about a row, or about many rows of a batch (null), the first of which is `first`. */
  constructor(attempt: Attempt, origins: Origins, row: Owner, first = row ?? 0) {
    this.#owner = attempt;
    this.#row = row;
    this.#first = first;
    this.#origins = origins;
  }

  get attempt(): number {
    return this.#owner.task.failures + 1;
  }

  /** `run/step/origin`: the same in every attempt and pass, and no other row's. */
  get key(): string {
    const origin = this.#origins.of(this.#row);
    return [this.#owner.context.runId, this.#owner.task.step.name, ...(origin === '' ? [] : [origin])].join('/');
  }

  get log(): Log {
    return this.#owner.context.userLog(this.#owner.task.step.name);
  }

  get use(): <T>(resource: Resource<T>) => Promise<T> {
    const { resources } = this.#owner.context;
    return (resource) => resources.use(resource);
  }

  get usage(): (usage: Usage) => void {
    const { usage, task } = this.#owner;
    return (reported) => usage.add(this.#first, task.attempt, reported);
  }

  get checkpoint(): Context['checkpoint'] {
    const { checkpoints } = this.#owner;
    return (name, make) => checkpoints.reach(this.#row, name, make);
  }

  /** The call's time-out; stands still while it waits for something else. */
  get clock(): CallClock {
    this.#clock ??= new CallClock();
    return this.#clock;
  }

  /** Aborted when the call takes too long, or the run is stopped for good. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return AbortSignal.any([this.#controller.signal, this.#owner.context.abort]);
  }

  /** A number of 32 bits that depends on the run's seed, the step's name and the row's origin only: the same in every attempt and pass. */
  get seed(): number {
    const { key } = this;
    return Number.parseInt(sha256(`${this.#owner.context.seed}/${key.slice(key.indexOf('/'))}`).slice(0, 8), 16);
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

  get untimed(): Context['untimed'] {
    const { stopping } = this.#owner.context;
    return (wait) => this.clock.untimed(typeof wait === 'function' ? wait(AbortSignal.any([this.signal, stopping])) : wait);
  }

  /** Tells the call that nobody waits for it any more. */
  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
