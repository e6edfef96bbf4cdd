import type { Instant } from './instant.ts';

/** Tells the time. Passed in wherever time matters, so that tests can set it. */
export type Clock = () => Instant;

/** This machine's clock, in microseconds (resolution: about one millisecond). */
export const systemClock: Clock = () => Date.now() * 1000;

/** A clock for tests: starts at `start` and moves by `advance` (milliseconds) only. */
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
