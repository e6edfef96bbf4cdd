import type { Context, Log, Resource, Usage } from '../pipeline/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { Attempt } from './attempt.ts';
import { CallClock } from './call-clock.ts';
import type { Owner } from './checkpoints.ts';
import type { Origins } from './origins.ts';

/** Context that a step's function gets in addition to its row. Created per call, so rarely used members are lazy. */
export class RowContext implements Context {
  readonly #owner: Attempt;
  readonly #row: Owner;
  readonly #first: number;
  readonly #origins: Origins;
  #clock: CallClock | undefined;
  #controller: AbortController | undefined;

  /** `row`: the row that the call is for, or null for many rows of a batch, the first of which is `first`. */
  constructor(attempt: Attempt, origins: Origins, row: Owner, first = row ?? 0) {
    this.#owner = attempt;
    this.#row = row;
    this.#first = first;
    this.#origins = origins;
  }

  get attempt(): number {
    return this.#owner.task.failures + 1;
  }

  /** `run/step/origin`: unique to the row, and the same in every attempt and pass. */
  get key(): string {
    const origin = this.#origins.get(this.#row);
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
    return (name, make) => checkpoints.getOrMake(this.#row, name, make);
  }

  get onTruncated(): () => Promise<'reject' | 'keep'> {
    return this.#owner.context.onTruncated;
  }

  /** The call's time-out. It stands still during `untimed` waits. */
  get clock(): CallClock {
    this.#clock ??= new CallClock();
    return this.#clock;
  }

  /** Aborted when the call times out or the run ends its calls in flight. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return AbortSignal.any([this.#controller.signal, this.#owner.context.abort]);
  }

  /** A 32-bit number made from the run's seed, the step's name and the row's origin only, so it is the same in every attempt and pass. */
  get seed(): number {
    const { key } = this;
    return Number.parseInt(sha256(`${this.#owner.context.seed}/${key.slice(key.indexOf('/'))}`).slice(0, 8), 16);
  }

  /** A generator of numbers in [0, 1), seeded with the row's seed (mulberry32). */
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

  /** Aborts the call's signal, because its result is no longer used. */
  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
