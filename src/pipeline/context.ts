import type { Json } from '../kit/json.ts';
import type { Awaitable } from './columns.ts';

/** Lines for whoever watches the run; they are not recorded. */
export interface Log {
  info(message: string, data?: Json): void;
  warn(message: string, data?: Json): void;
}

/** What one call consumed, and how it ended: reported for calls that failed and answers that were thrown away too. */
export interface Usage {
  readonly model?: string | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  readonly latencyMs?: number | undefined;
  /** In the provider's words, or an error's code. */
  readonly finishReason?: string | undefined;
  /** Whether nothing came of it: it failed, or its answer cannot be used. */
  readonly thrownAway?: boolean | undefined;
  /** What was asked, where that does not follow from the row and the step's settings. */
  readonly prompt?: string | undefined;
}

/** A client, a model, a connection: opened once a process, when a step first uses it, and closed at the end. */
export interface Resource<out T> {
  readonly id: string;
  open(context: { readonly signal: AbortSignal; readonly log: Log }): Awaitable<T>;
  close?(value: never): Awaitable<void>;
}

/**
 * What a step's function gets beside its row. `key`, `seed` and what `random` gives are made of the row's origin: its item in a source, or the key that the
 * source declares, and what `flatMap` and `union` made of it. They are the same at every attempt and in every pass.
 */
export interface Context {
  /** Aborted when the call takes longer than `timeoutMs`, or the run is stopped for good. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
  /**
   * `run/step/origin`: an idempotency key for a provider. No other row of the step has it. A call that gets many rows has that of all of them, so a call for
   * fewer has another.
   */
  readonly key: string;
  /** 32 bits, made of the run's seed, the step's name and the origin: the same in every run of the same seed. */
  readonly seed: number;
  /** A generator of numbers in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly use: <T>(resource: Resource<T>) => Promise<T>;
  readonly usage: (usage: Usage) => void;
  /**
   * What `make` gives (JSON), made once for the row under each name, however often the row is tried and whichever process does it: it is in the log within
   * a second. For a function that makes several dear calls for one row: what came is kept when a later one fails or the machine dies. Forgotten where the
   * step's code changed, and once the row is done. In a function of many rows it is the batch's. What `make` throws it throws, and an error of code
   * `invalid-output` for what is not JSON.
   */
  readonly checkpoint: <T>(name: string, make: () => Awaitable<T>) => Promise<T>;
  /**
   * Waits for something that is not the call itself (a rate limit, a free slot): the time does not count against `timeoutMs`. A wait given as a function
   * gets a signal that is aborted when the run is to stop, too: nothing has begun yet, so nothing is to be waited for.
   */
  readonly untimed: <T>(wait: Promise<T> | ((signal: AbortSignal) => Promise<T>)) => Promise<T>;
}

/** What a source gets: `offset` is the item to begin with, from 0. */
export type ReadContext = Pick<Context, 'signal' | 'log' | 'use'> & { readonly offset: number };

/** Declares a resource. Values with a `[Symbol.asyncDispose]` or `[Symbol.dispose]` need no `close`. */
export function resource<T>(id: string, open: Resource<T>['open'], close?: (value: T) => Awaitable<void>): Resource<T> {
  return close ? { id, open, close: close } : { id, open };
}
