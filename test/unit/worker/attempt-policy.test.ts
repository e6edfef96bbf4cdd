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

const failure = (code: string, given: Partial<RowFailure> = {}): RowFailure => ({
  failure: { code, name: 'Error', message: `${code} happened`, stack: '' },
  retryable: true,
  isThrottled: code === 'rate-limit',
  notBefore: null,
  pauses: null,
  ...given,
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
  hasTripped: false,
  rejection: undefined,
};

describe('an attempt whose rows were tried', () => {
  it.each<readonly [string, Partial<AttemptFacts>, object]>([
    ['succeeds where nothing failed', {}, { kind: 'succeed' }],
    ['succeeds with rejected rows', { rejection }, { kind: 'succeed' }],
    ['is interrupted where the run pauses, though all rows are done', { isPausing: true }, { kind: 'interrupt', pending: 0 }],
    ['is interrupted where calls were aborted', { isAborted: true, pending: 2 }, { kind: 'interrupt', pending: 2 }],
    ['is interrupted where it stops with rows that were not tried', { isStopping: true, pending: 2 }, { kind: 'interrupt', pending: 2 }],
    [
      'is retried where it stops with no rows but failed ones',
      { isStopping: true, failed: rows(timeout), pending: 1 },
      { kind: 'retry', pending: 1, counted: true },
    ],
    ['succeeds where the step broke elsewhere', { hasTripped: true }, { kind: 'succeed' }],
    ['is interrupted where the step broke and it rejected rows', { hasTripped: true, rejection }, { kind: 'interrupt', pending: 0 }],
    [
      'is interrupted where the step broke and rows failed',
      { hasTripped: true, failed: rows(timeout), pending: 1 },
      { kind: 'interrupt', pending: 1 },
    ],
    [
      'is retried for failed rows while attempts are left',
      { failed: rows(timeout, limit), pending: 2, failures: 1 },
      { kind: 'retry', failed: rows(timeout, limit), pending: 2, counted: true },
    ],
    [
      'is retried without counting where all failed calls were throttled',
      { failed: rows(limit, limit), pending: 2, failures: 2 },
      { kind: 'retry', failed: rows(limit, limit), pending: 2, counted: false },
    ],
    [
      'rejects failed rows on the last attempt, not those that were throttled',
      { failed: rows(timeout, limit), pending: 2, failures: 2 },
      { kind: 'reject', rows: new Map([[0, timeout]]), throttled: new Map([[1, limit]]) },
    ],
    [
      'gives up on the last attempt where a lost row fails the step',
      { failed: rows(limit, timeout), pending: 2, failures: 2, rejects: false },
      { kind: 'giveUp', failure: timeout.failure, pending: 2 },
    ],
    [
      'gives up for a rejected row where a lost row fails the step',
      { rejection, rejects: false },
      { kind: 'giveUp', failure: { code: 'bad', name: 'Rejected', message: 'bad row', stack: '' }, pending: 0 },
    ],
  ])('%s', (_title, given, verdict) => {
    expect(settle({ ...facts, ...given })).toMatchObject(verdict);
  });
});

describe('an attempt that rejected rows on the last try', () => {
  const rejected = (...throttled: readonly RowFailure[]) =>
    ({ kind: 'reject', rows: rows(timeout), throttled: rows(...throttled) }) as const;
  const calm = { isPausing: false, hasTripped: false };

  it.each([
    ['succeeds', rejected(), calm, { kind: 'succeed' }],
    ['is retried for throttled rows', rejected(limit), calm, { kind: 'retry', failed: rows(limit), pending: 1, counted: false }],
    ['is interrupted where the run pauses', rejected(limit), { ...calm, isPausing: true }, { kind: 'interrupt', pending: 2 }],
    ['is interrupted where the step broke', rejected(), { ...calm, hasTripped: true }, { kind: 'interrupt', pending: 1 }],
  ] as const)('%s', (_title, which, given, verdict) => {
    expect(settleRejected(which, given)).toEqual(verdict);
  });
});

describe('an attempt that broke outside of any row', () => {
  const broken = { failure: timeout, pending: 5, failures: 0, attemptsMax: 2, isHopeless: false };

  it.each([
    ['is retried while attempts are left', {}, { kind: 'retry', pending: 5, counted: true }],
    ['gives up on the last attempt', { failures: 1 }, { kind: 'giveUp', failure: timeout.failure, pending: 5 }],
    ['gives up where no attempt can help', { isHopeless: true }, { kind: 'giveUp', failure: timeout.failure, pending: 5 }],
    [
      'is interrupted by a failure that pauses the run, also on the last attempt',
      { failures: 1, failure: failure('auth', { pauses: 'auth' }) },
      { kind: 'interrupt', pending: 5 },
    ],
  ] as const)('%s', (_title, given, verdict) => {
    expect(settleBroken({ ...broken, ...given })).toMatchObject(verdict);
  });
});

describe('the delay before the next attempt', () => {
  const retry = { failed: rows(timeout), counted: true, attempt: 1, failures: 0, backoffMs: 1000, now: 0, random: 0 };

  it.each([
    ["is half of the step's delay at least", {}, 500],
    ['is all of it at most', { random: 1 }, 1000],
    ['doubles with each failure', { failures: 3, attempt: 9 }, 4000],
    ['doubles with each attempt where none is counted', { counted: false, attempt: 3 }, 2000],
    ['doubles no more than ten times where none is counted', { counted: false, attempt: 99, backoffMs: 1 }, 512],
    ['is five minutes at most', { failures: 30, random: 1 }, 300_000],
    ['is what a provider asks for', { failed: rows(failure('rate-limit', { notBefore: 7_000_000 })) }, 7000],
    ['is the longest that a provider asks for', { failed: rows(limit, failure('rate-limit', { notBefore: 400_000_000 })) }, 400_000],
    ['leaves out time that has passed', { failed: rows(failure('rate-limit', { notBefore: 7_000_000 })), now: 6_000_000 }, 1000],
  ])('%s', (_title, given, ms) => {
    expect(retryDelayMs({ ...retry, ...given })).toBe(ms);
  });
});

describe('the failure of an interrupted attempt', () => {
  const pause = { reason: 'auth', message: 'key refused' } as const;

  it.each([
    ['is why the run pauses', pause, { isAborted: true, hasTripped: true }, 'auth', 'key refused'],
    ['is an abort', null, { isAborted: true, hasTripped: false }, 'interrupted', 'the run was stopped and calls in flight aborted'],
    [
      'is a step that broke',
      null,
      { isAborted: false, hasTripped: true },
      'reject-limit',
      'the step rejected too much, and the run was stopped',
    ],
    ['is a stop', null, { isAborted: false, hasTripped: false }, 'interrupted', 'the run was stopped'],
  ] as const)('%s', (_title, wish, given, code, message) => {
    expect(interruption(wish, given)).toEqual({ code, name: 'Interrupted', message, stack: '' });
  });
});
