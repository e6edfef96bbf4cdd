/** The clock of a limiter, in milliseconds. It is a parameter so that tests can control it. */
export interface Time {
  now(): number;
  /** Calls `then` after a delay. Returns a function that cancels the call. */
  after(milliseconds: number, then: () => void): () => void;
}

/** Maximum delay of one timer. Node does not support much longer ones. */
const timerMaxMs = 86_400_000;

/** This machine's monotonic clock. */
export const systemTime: Time = {
  now: () => performance.now(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, Math.min(milliseconds, timerMaxMs));
    return () => clearTimeout(timer);
  },
};
