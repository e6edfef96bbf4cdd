import type { Instant } from './instant.ts';

/** Returns the current time. Passed in wherever time matters, so that tests can set it. */
export type Clock = () => Instant;

/** This machine's clock, in microseconds (resolution: about one millisecond). */
export const systemClock: Clock = () => Date.now() * 1000;

/** Returns a clock for tests. It starts at `start` and moves only by `advance` (in milliseconds) and `set`. */
export function manualClock(
  start: Instant = Date.UTC(2026, 0, 1) * 1000,
): Clock & { advance(milliseconds: number): void; set(instant: Instant): void } {
  let now = start;
  const clock = () => now;
  return Object.assign(clock, {
    advance: (milliseconds: number) => {
      now += milliseconds * 1000;
    },
    set: (instant: Instant) => {
      now = instant;
    },
  });
}
