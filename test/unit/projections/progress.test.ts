import { describe, expect, it } from 'vitest';
import { fold, progress, rowsPerSecond, type StepProgress } from '../../../projections/index.ts';
import type { NewEvent, RecordedEvent } from '../../../schema/index.ts';
import { formatInstant } from '../../../src/kit/instant.ts';
import {
  at,
  batchAbandoned,
  batchFailed,
  batchProgressed,
  batchStarted,
  batchSucceeded,
  cancelled,
  finished,
  folded,
  manifestStep,
  noneRejected,
  paused,
  reopened,
  resumed,
  runStarted,
  stepFailed,
  stepFinished,
  stepStarted,
  timeOf,
} from '../../fixtures/events.ts';

const begin = runStarted(manifestStep('a'), manifestStep('b', ['a']));
const stepOf = (name: string, ...events: readonly NewEvent[]): StepProgress | undefined => folded(progress, begin, ...events).steps[name];

describe('progress', () => {
  it('is zero for every step at the start', () => {
    expect(folded(progress)).toEqual({ steps: {}, lastEventAt: null });
    const nothing = {
      batches: { succeeded: 0, failed: 0, running: 0 },
      retries: 0,
      rows: { in: 0, out: 0, rejected: 0 },
      count: null,
      elapsedMs: 0,
      startedAt: null,
      endedAt: null,
      trail: [],
      undeclared: [],
    };
    expect(folded(progress, begin)).toEqual({ steps: { a: nothing, b: nothing }, lastEventAt: timeOf(1) });
  });

  it('records when a step started and ended, and how many items its source has', () => {
    expect(stepOf('a', stepStarted('a', { count: 30 }), stepFinished('a'))).toMatchObject({
      count: 30,
      startedAt: timeOf(2),
      endedAt: timeOf(3),
    });
    expect(stepOf('a', stepStarted('a'), stepStarted('a'))).toMatchObject({ startedAt: timeOf(2) });
  });

  it('counts batches, their rows and their time when they succeed', () => {
    const rejected = { ...noneRejected, count: 3, codes: { x: 3 } };
    expect(
      stepOf(
        'a',
        batchStarted('a', 0),
        batchStarted('a', 1),
        batchSucceeded('a', 0, { rowsIn: 10, rows: 7, rejected, elapsedMs: 40 }),
        batchStarted('a', 2),
        batchSucceeded('a', 1, { rowsIn: 5, rows: 20, elapsedMs: 2 }),
      ),
    ).toMatchObject({
      batches: { succeeded: 2, failed: 0, running: 1 },
      rows: { in: 15, out: 27, rejected: 3 },
      elapsedMs: 42,
      retries: 0,
    });
  });

  it('counts attempts that are retried, and batches that are given up', () => {
    const running = [batchStarted('a', 0), batchStarted('a', 1), batchStarted('a', 2)];
    expect(stepOf('a', ...running, batchFailed('a', 0, { retryInMs: 0 }))).toMatchObject({
      batches: { failed: 0, running: 2 },
      retries: 1,
    });
    expect(stepOf('a', ...running, batchFailed('a', 0, { retryInMs: null }))).toMatchObject({
      batches: { failed: 1, running: 2 },
      retries: 0,
    });
    expect(stepOf('a', ...running, batchAbandoned('a', 0), batchAbandoned('a', 1))).toMatchObject({
      batches: { failed: 0, running: 1 },
      retries: 2,
    });
  });

  it('never counts fewer than zero running batches, even if a waiting batch is given up', () => {
    for (const end of [batchFailed('a', 0, { retryInMs: null }), batchAbandoned('a', 0), batchSucceeded('a', 0)])
      expect(stepOf('a', end)).toMatchObject({ batches: { running: 0 } });
  });

  it('has no running batches of a failed step', () => {
    expect(stepOf('a', batchStarted('a', 0), batchStarted('a', 1), stepFailed('a'))).toMatchObject({
      batches: { succeeded: 0, failed: 0, running: 0 },
      endedAt: timeOf(4),
    });
  });

  it('subtracts rows that a new pass tries again', () => {
    const rejected = { ...noneRejected, count: 4, codes: { x: 4 } };
    const events = [batchSucceeded('a', 0, { rowsIn: 10, rows: 6, rejected }), stepFinished('a'), finished('partial')];
    const state = folded(
      progress,
      begin,
      ...events,
      reopened({
        again: {
          a: [
            [0, 1],
            [3, 2],
          ],
          gone: [[0, 1]],
        },
      }),
    );
    expect(state.steps['a']).toMatchObject({ endedAt: null, rows: { in: 7, out: 6, rejected: 1 } });
    expect(state.lastEventAt).toBe(timeOf(5));
    expect(Object.keys(state.steps)).toEqual(['a', 'b']);
  });

  it('records the time of the last event, and ignores steps that it does not know', () => {
    const events = [
      resumed(),
      paused(),
      cancelled,
      finished(),
      reopened(),
      stepStarted('b'),
      stepFinished('b'),
      stepFailed('b'),
      batchStarted('b', 0),
      batchSucceeded('b', 0),
      batchFailed('b', 0),
      batchAbandoned('b', 0),
      batchStarted('gone', 0),
    ];
    for (const event of events) {
      const state = folded(progress, begin, event);
      expect([event.type, state.lastEventAt]).toEqual([event.type, timeOf(2)]);
      expect(Object.keys(state.steps)).toEqual(['a', 'b']);
      expect(state.steps['a']).toEqual(folded(progress, begin).steps['a']);
    }
    expect(folded(progress, begin, batchProgressed('b', 0)).lastEventAt).toBe(timeOf(1));
  });

  it('lists undeclared keys once each, and at most 100', () => {
    const undeclared = (...keys: readonly string[]) => batchSucceeded('a', 0, { undeclared: keys });
    expect(stepOf('a', undeclared('x', 'y'), undeclared(), undeclared('y', 'z'))?.undeclared).toEqual(['x', 'y', 'z']);
    const many = Array.from({ length: 101 }, (_, n) => `key ${n}`);
    expect(stepOf('a', undeclared(...many), undeclared('last'))?.undeclared).toEqual(many.slice(0, 100));
  });
});

describe('the rate of a step', () => {
  /** Batches of 10 rows that succeeded at these seconds. */
  const succeededAt = (...seconds: readonly number[]): StepProgress => {
    const events: RecordedEvent[] = [
      at(timeOf(0), begin),
      ...seconds.map((second, batch) => at(formatInstant(second * 1_000_000), batchSucceeded('a', batch))),
    ];
    return fold(progress, events).steps['a'] as StepProgress;
  };

  it('is unknown until two points are a second apart', () => {
    expect(rowsPerSecond(succeededAt())).toBeNull();
    expect(rowsPerSecond(succeededAt(1))).toBeNull();
    expect(rowsPerSecond(succeededAt(1, 1.999999))).toBeNull();
    expect(rowsPerSecond(succeededAt(1, 2))).toBe(10);
  });

  it('is computed over the points of the trail', () => {
    expect(rowsPerSecond(succeededAt(100, 102, 110))).toBe(2);
    expect(rowsPerSecond(succeededAt(100, 104, 104.5))).toBe(2.5);
  });

  it('uses twelve points, each at least a second after the one before', () => {
    const { trail } = succeededAt(10, 10.5, 10.999999, 11, 12.5);
    expect(trail).toEqual([
      [10_000_000, 10],
      [11_000_000, 40],
      [12_500_000, 50],
    ]);
    const seconds = Array.from({ length: 14 }, (_, n) => n);
    expect(succeededAt(...seconds).trail).toEqual(seconds.slice(2).map((second) => [second * 1_000_000, 10 * (second + 1)]));
  });
});
