import { describe, expect, it } from 'vitest';
import { errors } from '../../../projections/index.ts';
import { batchFailed, batchSucceeded, failure, folded, reopened } from '../../fixtures/events.ts';

const rejecting = (step: string, batch: number, code: string, count = 1, message = `${code} happened`) =>
  batchSucceeded(step, batch, {
    rejected: { count, codes: { [code]: count }, rows: [{ row: 0, code, message, attempts: 1 }], inChunk: false },
  });
/** More rejections than an event lists: they are in a chunk. */
const rejectingMany = (step: string, batch: number, code: string, count: number) =>
  batchSucceeded(step, batch, { rejected: { count, codes: { [code]: count }, rows: [], inChunk: true } });

describe('errors', () => {
  it('are empty if nothing failed', () => {
    expect(folded(errors)).toEqual({ groups: [], others: 0 });
    expect(folded(errors, batchSucceeded('a', 0))).toEqual({ groups: [], others: 0 });
  });

  it('are grouped by step, kind and cause, with their first and last position and one message', () => {
    const { groups } = folded(
      errors,
      rejecting('a', 0, 'bad', 2, 'first'),
      rejecting('b', 0, 'bad', 4),
      rejecting('a', 1, 'worse', 8),
      rejecting('a', 2, 'bad', 16, 'second'),
      batchFailed('a', 3, { error: failure('bad') }),
    );
    expect(groups).toEqual([
      { step: 'a', kind: 'rejected', code: 'bad', count: 18, firstPosition: 1, lastPosition: 4, message: 'first' },
      { step: 'b', kind: 'rejected', code: 'bad', count: 4, firstPosition: 2, lastPosition: 2, message: 'bad happened' },
      { step: 'a', kind: 'rejected', code: 'worse', count: 8, firstPosition: 3, lastPosition: 3, message: 'worse happened' },
      { step: 'a', kind: 'attempt', code: 'bad', count: 1, firstPosition: 5, lastPosition: 5, message: 'bad happened' },
    ]);
  });

  it('separate batches that were given up from attempts that are retried', () => {
    const { groups } = folded(
      errors,
      batchFailed('a', 0, { retryInMs: 0 }),
      batchFailed('a', 0, { attempt: 2, retryInMs: 100 }),
      batchFailed('a', 0, { attempt: 3, retryInMs: null }),
    );
    expect(groups).toMatchObject([
      { kind: 'attempt', code: 'down', count: 2, firstPosition: 1, lastPosition: 2 },
      { kind: 'batch', code: 'down', count: 1, firstPosition: 3, message: 'down happened' },
    ]);
  });

  it('take the message of a row with that cause, from the first event that has one', () => {
    const several = batchSucceeded('a', 0, {
      rejected: {
        count: 2,
        codes: { one: 1, two: 1 },
        rows: [
          { row: 3, code: 'one', message: 'of one', attempts: 1 },
          { row: 4, code: 'two', message: 'of two', attempts: 1 },
        ],
        inChunk: false,
      },
    });
    expect(folded(errors, several).groups.map(({ code, message }) => [code, message])).toEqual([
      ['one', 'of one'],
      ['two', 'of two'],
    ]);
    const inChunk = rejectingMany('a', 0, 'bad', 500);
    expect(folded(errors, inChunk).groups).toMatchObject([{ count: 500, message: '' }]);
    expect(folded(errors, inChunk, rejecting('a', 1, 'bad', 1, 'first')).groups).toMatchObject([{ count: 501, message: 'first' }]);
  });

  it('no longer count rows that a new pass tries again, by step and cause', () => {
    const rejections = [rejecting('a', 0, 'bad', 5), rejecting('a', 1, 'worse', 3), rejecting('b', 0, 'bad', 9)];
    const attempts = batchFailed('a', 0, { error: failure('bad') });
    const state = folded(
      errors,
      ...rejections,
      attempts,
      reopened({
        rejected: [
          { step: 'a', code: 'bad', rows: 4 },
          { step: 'b', code: 'bad', rows: 2 },
        ],
      }),
    );
    expect(state.groups.map(({ step, kind, code, count }) => [step, kind, code, count])).toEqual([
      ['a', 'rejected', 'bad', 1],
      ['a', 'rejected', 'worse', 3],
      ['b', 'rejected', 'bad', 7],
      ['a', 'attempt', 'bad', 1],
    ]);
    expect(state.others).toBe(0);
    expect(folded(errors, ...rejections, reopened({ rejected: [{ step: 'a', code: 'worse', rows: 3 }] })).groups).toHaveLength(2);
  });

  it('keep 200 groups, and count the losses beyond them', () => {
    const events = Array.from({ length: 202 }, (_, n) => rejecting('a', n, `cause-${n}`, 3));
    const state = folded(errors, ...events, rejecting('a', 300, 'cause-0', 10));
    expect(state.groups).toHaveLength(200);
    expect(state.others).toBe(6);
    expect(state.groups[0]).toMatchObject({ code: 'cause-0', count: 13 });
    expect(state.groups[199]).toMatchObject({ code: 'cause-199', count: 3 });
  });
});
