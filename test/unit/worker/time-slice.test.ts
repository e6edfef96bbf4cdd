import { describe, expect, it } from 'vitest';
import { TimeSlice } from '../../../src/worker/time-slice.ts';

/** Works without waiting for longer than a slice lasts. */
function work(): void {
  const until = performance.now() + 25;
  while (performance.now() < until);
}

describe('work that never waits', () => {
  it('yields to the event loop after a slow row', async () => {
    const slice = new TimeSlice();
    let others = 0;
    setImmediate(() => others++);
    work();
    await slice.endRow();
    expect(others).toBe(1);
  });

  it('reads the clock after each row again when rows become slow', async () => {
    const slice = new TimeSlice();
    for (let row = 0; row < 1_000; row++) await slice.endRow();
    let rows = 0;
    do work();
    while (++rows < 100 && !slice.endRow());
    expect(rows).toBeLessThanOrEqual(16);
    await new Promise(setImmediate);
    work();
    expect(slice.endRow()).toBeInstanceOf(Promise);
  });
});
