import { describe, expect, it } from 'vitest';
import type { OpenBatch, StepState } from '../../../projections/index.ts';
import { callsWanted, roomOf, runningBatchesMax, unknownLoad, type Load } from '../../../src/scheduler/room.ts';
import type { NumberedBatch } from '../../../src/scheduler/open-batches.ts';

const step = (operator: string, concurrency: number): StepState => ({ plan: { operator, concurrency } }) as unknown as StepState;
const running = (count: number, rows: number): readonly NumberedBatch[] =>
  Array.from({ length: count }, (_, batch) => [batch, { state: 'running', rows } as OpenBatch] as const);
const left = (unfinished: number, heldBytes = 0): Load => ({
  unfinished: () => unfinished,
  unfinishedOf: () => 0,
  heldBytes: () => heldBytes,
});

/** Returns how many batches of `rows` rows may start. */
function startable(of: StepState, opened: readonly NumberedBatch[], load: Load, rows: number): number {
  const room = roomOf('step', of, opened, load);
  let count = 0;
  while (room.take(rows)) count++;
  expect(room.isShort).toBe(true);
  return count;
}

describe('the room of a step', () => {
  it.each([
    ['no batch runs: one starts for the lanes, and one ahead', 'map', 20, running(0, 100), unknownLoad, 100, 2],
    ['one batch of fast calls runs: one starts ahead', 'map', 20, running(1, 100), unknownLoad, 100, 1],
    ['two batches of fast calls run', 'map', 20, running(2, 100), unknownLoad, 100, 0],
    ['each batch waits for one slow call: others fill the lanes', 'map', 200, running(3, 100), left(1), 100, 3],
    ['as many rows are left as wanted', 'map', 200, running(5, 100), left(50), 100, 0],
    ['one row fewer is left', 'map', 200, running(249, 100), left(1), 100, 1],
    ['all rows of a batch that the worker has not begun count', 'map', 200, running(5, 100), unknownLoad, 100, 0],
    ['a batch is a call: one starts per lane, and one ahead', 'mapBatch', 4, running(0, 100), unknownLoad, 100, 5],
    ['a batch whose call has ended frees its lane', 'mapBatch', 4, running(5, 100), left(0), 100, 5],
    ['too many batches are open', 'map', 4, running(runningBatchesMax(4), 10), left(0), 10, 0],
    ['too many finished bytes wait to be recorded', 'map', 200, running(3, 100), left(1, 2 ** 30), 100, 0],
  ])('%s', (_what, operator, concurrency, opened, load, rows, expected) => {
    expect(startable(step(operator, concurrency), opened, load, rows)).toBe(expected);
  });

  it('starts a batch if none runs, however many bytes are in memory', () => {
    expect(roomOf('step', step('map', 1), [], left(0, 2 ** 40)).take(1_000_000)).toBe(true);
  });

  it('wants every lane full, and a quarter more calls', () => {
    expect([1, 20, 200, 1000].map(callsWanted)).toEqual([2, 25, 250, 1250]);
  });
});
