import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/worker/turns.ts';

/** Works without waiting for longer than a turn lasts. */
function work(): void {
  const until = performance.now() + 25;
  while (performance.now() < until);
}

describe('work that never waits', () => {
  it('gives way after a row that took long', async () => {
    const turns = new Turns();
    let others = 0;
    setImmediate(() => others++);
    work();
    await turns.over();
    expect(others).toBe(1);
  });

  it('is looked at again row by row where rows begin to take long', async () => {
    const turns = new Turns();
    for (let row = 0; row < 1_000; row++) await turns.over();
    let rows = 0;
    do work();
    while (++rows < 100 && !turns.over());
    expect(rows).toBeLessThanOrEqual(16);
    await new Promise(setImmediate);
    work();
    expect(turns.over()).toBeInstanceOf(Promise);
  });
});
