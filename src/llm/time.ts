/** What a limiter needs of time: passed in, so that tests can set it. Milliseconds. */
export interface Time {
  now(): number;
  /** Calls `then` after so long, unless it is called off by what is returned. */
  after(milliseconds: number, then: () => void): () => void;
}

/** Longest single timer: longer ones are not kept by Node. */
const timerMaxMs = 86_400_000;

/** This machine's steady clock. */
export const systemTime: Time = {
  now: () => performance.now(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, Math.min(milliseconds, timerMaxMs));
    return () => clearTimeout(timer);
  },
};
