import type { Json } from '../kit/json.ts';
import type { Awaitable } from './columns.ts';

/** The logger of a step. Its lines are shown while the run is watched and are not recorded. */
export interface Log {
  info(message: string, data?: Json): void;
  warn(message: string, data?: Json): void;
}

/** What one call consumed and how it ended. Failed calls and discarded answers are reported too. */
export interface Usage {
  readonly model?: string | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  readonly latencyMs?: number | undefined;
  /** The reason that the provider gave, or the code of an error. */
  readonly finishReason?: string | undefined;
  /** Whether the call was wasted: it failed, or its answer cannot be used. */
  readonly thrownAway?: boolean | undefined;
  /** The prompt, if it cannot be derived from the row and the step's settings. */
  readonly prompt?: string | undefined;
}

/** A client, model or connection. It is opened once per process, when a step first uses it, and closed at the end. */
export interface Resource<out T> {
  readonly id: string;
  open(context: { readonly signal: AbortSignal; readonly log: Log }): Awaitable<T>;
  close?(value: never): Awaitable<void>;
}

/**
 * The second argument of a step's function. `key`, `seed` and `random` are derived from the row's origin, so they are the same at every attempt and in every
 * pass. The origin is the item number in the source, or the key that the source declares, and the row's place among the rows that `flatMap` and `union` made of it.
 */
export interface Context {
  /** Aborted when the call takes longer than `timeoutMs`, or when the run is aborted. */
  readonly signal: AbortSignal;
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /**
   * `run/step/origin`: an idempotency key for a provider, unique within the step. A call with many rows has one key for all of them, so a call with fewer
   * rows has another key.
   */
  readonly key: string;
  /** A 32-bit seed derived from the run's seed, the step's name and the origin. It is the same in every run with the same seed. */
  readonly seed: number;
  /** Returns the next pseudo-random number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly use: <T>(resource: Resource<T>) => Promise<T>;
  readonly usage: (usage: Usage) => void;
  /**
   * Memoizes the result of `make` (JSON) for the row under a name, across attempts and processes. The result is in the log within a second. Use it in a
   * function that makes several expensive calls for one row: earlier results are kept when a later call fails or the machine crashes. Results are discarded
   * when the step's code changes and when the row is done. In a function of many rows they belong to the batch. Throws what `make` throws, and an error with
   * code `invalid-output` for a result that is not JSON.
   */
  readonly checkpoint: <T>(name: string, make: () => Awaitable<T>) => Promise<T>;
  /**
   * Waits for something other than the call itself, such as a rate limit or a free slot. The time does not count against `timeoutMs`. A wait given as a
   * function gets a signal that is also aborted when the run is asked to stop, because the call has not begun and need not be waited for.
   */
  readonly untimed: <T>(wait: Promise<T> | ((signal: AbortSignal) => Promise<T>)) => Promise<T>;
  /**
   * Returns what the run recorded as the default for answers that were cut off.
   * @internal
   */
  readonly onTruncated?: () => Promise<'reject' | 'keep'>;
}

/** The context of a source. `offset` is the first item to read, counted from 0. */
export type ReadContext = Pick<Context, 'signal' | 'log' | 'use'> & { readonly offset: number };

/** Declares a resource. Values with a `[Symbol.asyncDispose]` or `[Symbol.dispose]` need no `close`. */
export function resource<T>(id: string, open: Resource<T>['open'], close?: (value: T) => Awaitable<void>): Resource<T> {
  return close ? { id, open, close: close } : { id, open };
}
