import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JournalClock, type Journaled } from '../../../src/worker/journal-clock.ts';

class FakeAttempt implements Journaled {
  readonly written: number[] = [];
  hasUnrecorded = false;
  flush(): void {
    this.written.push(performance.now());
    this.hasUnrecorded = false;
  }
}

describe('the clock of journals', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0, toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it.each([0, 1, 150, 199, 200, 333])('flushes work that was finished after %i ms when it is 600 to 800 ms old', (after) => {
    const clock = new JournalClock();
    const attempt = new FakeAttempt();
    clock.add(attempt);
    vi.advanceTimersByTime(after);
    const finished = performance.now();
    attempt.hasUnrecorded = true;
    vi.advanceTimersByTime(5_000);
    expect(attempt.written).toHaveLength(1);
    const age = (attempt.written[0] ?? 0) - finished;
    expect(age).toBeGreaterThanOrEqual(600);
    expect(age).toBeLessThanOrEqual(800);
    clock.remove(attempt);
  });

  it('flushes attempts that finished work at the same moment together', () => {
    const clock = new JournalClock();
    const attempts = Array.from({ length: 1_000 }, () => new FakeAttempt());
    for (const [index, attempt] of attempts.entries()) {
      clock.add(attempt);
      if (index === 500) vi.advanceTimersByTime(90);
      attempt.hasUnrecorded = true;
    }
    vi.advanceTimersByTime(1_000);
    expect(new Set(attempts.flatMap(({ written }) => written)).size).toBe(1);
    for (const attempt of attempts) clock.remove(attempt);
  });

  it('collects work until the flush is due, and does not check attempts that have ended', () => {
    const clock = new JournalClock();
    const [busy, over] = [new FakeAttempt(), new FakeAttempt()];
    clock.add(busy);
    clock.add(over);
    over.hasUnrecorded = true;
    clock.remove(over);
    for (let ms = 0; ms < 4_000; ms += 100) {
      busy.hasUnrecorded = true;
      vi.advanceTimersByTime(100);
    }
    expect(over.written).toEqual([]);
    expect(busy.written).toHaveLength(5);
    clock.remove(busy);
  });
});
