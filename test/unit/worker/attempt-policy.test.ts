import { describe, expect, it } from 'vitest';
import {
  interruption,
  retryDelayMs,
  settle,
  settleBroken,
  settleRejected,
  type AttemptFacts,
  type FailedRows,
} from '../../../src/worker/attempt-policy.ts';
import type { RowFailure } from '../../../src/worker/row-failure.ts';

const failure = (code: string, overrides: Partial<RowFailure> = {}): RowFailure => ({
  failure: { code, name: 'Error', message: `${code} happened`, stack: '' },
  retryable: true,
  isThrottled: code === 'rate-limit',
  notBefore: null,
  pauses: null,
  ...overrides,
});
const timeout = failure('timeout');
const limit = failure('rate-limit');
const rows = (...failures: readonly RowFailure[]): FailedRows => new Map(failures.entries());
const rejection = { row: 3, code: 'bad', message: 'bad row', attempts: 1 };

const facts: AttemptFacts = {
  failed: new Map(),
  pending: 0,
  failures: 0,
  attemptsMax: 3,
  rejects: true,
  isPausing: false,
  isAborted: false,
  isStopping: false,
  isLimitReached: false,
  rejection: undefined,
};

describe('an attempt whose rows were tried', () => {
  it.each<readonly [string, Partial<AttemptFacts>, object]>([
    ['succeeds if nothing failed', {}, { kind: 'succeed' }],
    ['succeeds with rejected rows', { rejection }, { kind: 'succeed' }],
    ['is interrupted if the run pauses, even with all rows finished', { isPausing: true }, { kind: 'interrupt', pending: 0 }],
    ['is interrupted if calls were aborted', { isAborted: true, pending: 2 }, { kind: 'interrupt', pending: 2 }],
    ['is interrupted if it stops before all rows were tried', { isStopping: true, pending: 2 }, { kind: 'interrupt', pending: 2 }],
    [
      'is retried if it stops and only failed rows are pending',
      { isStopping: true, failed: rows(timeout), pending: 1 },
      { kind: 'retry', pending: 1, counted: true },
    ],
    ['succeeds if the step reached its reject limit in other batches', { isLimitReached: true }, { kind: 'succeed' }],
    [
      'is interrupted if the step reached its reject limit and it rejected rows',
      { isLimitReached: true, rejection },
      { kind: 'interrupt', pending: 0 },
    ],
    [
      'is interrupted if the step reached its reject limit and rows failed',
      { isLimitReached: true, failed: rows(timeout), pending: 1 },
      { kind: 'interrupt', pending: 1 },
    ],
    [
      'is retried for failed rows while attempts remain',
      { failed: rows(timeout, limit), pending: 2, failures: 1 },
      { kind: 'retry', failed: rows(timeout, limit), pending: 2, counted: true },
    ],
    [
      'is retried without counting if all failed calls were throttled',
      { failed: rows(limit, limit), pending: 2, failures: 2 },
      { kind: 'retry', failed: rows(limit, limit), pending: 2, counted: false },
    ],
    [
      'rejects failed rows on the last attempt, except throttled ones',
      { failed: rows(timeout, limit), pending: 2, failures: 2 },
      { kind: 'reject', rows: new Map([[0, timeout]]), throttled: new Map([[1, limit]]) },
    ],
    [
      'gives up on the last attempt if a lost row fails the step',
      { failed: rows(limit, timeout), pending: 2, failures: 2, rejects: false },
      { kind: 'giveUp', failure: timeout.failure, pending: 2 },
    ],
    [
      'gives up for a rejected row if a lost row fails the step',
      { rejection, rejects: false },
      { kind: 'giveUp', failure: { code: 'bad', name: 'Rejected', message: 'bad row', stack: '' }, pending: 0 },
    ],
  ])('%s', (_title, overrides, verdict) => {
    expect(settle({ ...facts, ...overrides })).toMatchObject(verdict);
  });
});

describe('an attempt that rejected rows on the last try', () => {
  const rejected = (...throttled: readonly RowFailure[]) =>
    ({ kind: 'reject', rows: rows(timeout), throttled: rows(...throttled) }) as const;
  const calm = { isPausing: false, isLimitReached: false };

  it.each([
    ['succeeds', rejected(), calm, { kind: 'succeed' }],
    ['is retried for throttled rows', rejected(limit), calm, { kind: 'retry', failed: rows(limit), pending: 1, counted: false }],
    ['is interrupted if the run pauses', rejected(limit), { ...calm, isPausing: true }, { kind: 'interrupt', pending: 2 }],
    [
      'is interrupted if the step reached its reject limit',
      rejected(),
      { ...calm, isLimitReached: true },
      { kind: 'interrupt', pending: 1 },
    ],
  ] as const)('%s', (_title, which, overrides, verdict) => {
    expect(settleRejected(which, overrides)).toEqual(verdict);
  });
});

describe('an attempt that failed outside of any row', () => {
  const broken = { failure: timeout, pending: 5, failures: 0, attemptsMax: 2, isHopeless: false };

  it.each([
    ['is retried while attempts remain', {}, { kind: 'retry', pending: 5, counted: true }],
    ['gives up on the last attempt', { failures: 1 }, { kind: 'giveUp', failure: timeout.failure, pending: 5 }],
    ['gives up if no attempt can help', { isHopeless: true }, { kind: 'giveUp', failure: timeout.failure, pending: 5 }],
    [
      'is interrupted by a failure that pauses the run, also on the last attempt',
      { failures: 1, failure: failure('auth', { pauses: 'auth' }) },
      { kind: 'interrupt', pending: 5 },
    ],
  ] as const)('%s', (_title, overrides, verdict) => {
    expect(settleBroken({ ...broken, ...overrides })).toMatchObject(verdict);
  });
});

describe('the delay before the next attempt', () => {
  const retry = { failed: rows(timeout), counted: true, attempt: 1, failures: 0, backoffMs: 1000, now: 0, random: 0 };

  it.each([
    ["is at least half of the step's delay", {}, 500],
    ["is at most the step's delay", { random: 1 }, 1000],
    ['doubles with each failure', { failures: 3, attempt: 9 }, 4000],
    ['doubles with each attempt that does not count', { counted: false, attempt: 3 }, 2000],
    ['doubles at most ten times if attempts do not count', { counted: false, attempt: 99, backoffMs: 1 }, 512],
    ['is at most five minutes', { failures: 30, random: 1 }, 300_000],
    ['is the wait that a provider asks for', { failed: rows(failure('rate-limit', { notBefore: 7_000_000 })) }, 7000],
    ['is the longest wait that a provider asks for', { failed: rows(limit, failure('rate-limit', { notBefore: 400_000_000 })) }, 400_000],
    ['does not count time that has passed', { failed: rows(failure('rate-limit', { notBefore: 7_000_000 })), now: 6_000_000 }, 1000],
  ])('%s', (_title, overrides, ms) => {
    expect(retryDelayMs({ ...retry, ...overrides })).toBe(ms);
  });
});

describe('the failure of an interrupted attempt', () => {
  const pause = { reason: 'auth', message: 'key refused' } as const;

  it.each([
    ['is the reason for the pause', pause, { isAborted: true, isLimitReached: true }, 'auth', 'key refused'],
    ['is the abort', null, { isAborted: true, isLimitReached: false }, 'interrupted', 'the run was stopped and calls in flight aborted'],
    [
      'is the reject limit',
      null,
      { isAborted: false, isLimitReached: true },
      'reject-limit',
      'the step reached its reject limit, and the run was stopped',
    ],
    ['is the stop', null, { isAborted: false, isLimitReached: false }, 'interrupted', 'the run was stopped'],
  ] as const)('%s', (_title, wish, overrides, code, message) => {
    expect(interruption(wish, overrides)).toEqual({ code, name: 'Interrupted', message, stack: '' });
  });
});
