import { describe, expect, it } from 'vitest';
import { timeline } from '../../../projections/index.ts';
import { actor } from '../../fixtures/actor.ts';
import {
  batchStarted,
  cancelled,
  finished,
  folded,
  manifestStep,
  paused,
  reopened,
  resumed,
  runStarted,
  stepFailed,
  stepFinished,
  stepStarted,
  timeOf,
} from '../../fixtures/events.ts';

const entriesOf = (...events: Parameters<typeof folded>[1][]) =>
  folded(timeline, ...events).entries.map(({ step, who, what }) => [step, who, what]);

describe('the timeline', () => {
  it('lists events of the run and its steps with their actor, and no batches', () => {
    const ada = 'ada@engine:1';
    expect(
      entriesOf(
        runStarted(manifestStep('a')),
        stepStarted('a'),
        batchStarted('a', 0),
        paused({ reason: 'quota', message: 'nothing left' }),
        stepFinished('a'),
        stepFailed('b'),
        finished('partial'),
        cancelled,
      ),
    ).toEqual([
      [null, ada, 'pipeline numbers'],
      ['a', null, ''],
      [null, ada, 'quota: nothing left'],
      ['a', null, ''],
      ['b', null, 'dead: dead happened'],
      [null, null, 'partial'],
      [null, ada, 'no more'],
    ]);
  });

  it('has the position and time of each event', () => {
    expect(folded(timeline)).toEqual({ entries: [], omitted: 0 });
    const { entries } = folded(timeline, runStarted(manifestStep('a')), batchStarted('a', 0), stepFinished('a'));
    expect(entries.map(({ position, recordedAt, type }) => [position, recordedAt, type])).toEqual([
      [1, timeOf(1), 'RunStarted'],
      [3, timeOf(3), 'StepFinished'],
    ]);
  });

  it('says whose run was taken over, and which changes were accepted', () => {
    const change = (step: string) => ({ step, kind: 'changed' as const, parts: ['code'], signature: '' });
    expect(
      entriesOf(
        resumed(),
        resumed({ reason: 'taken-over', from: { ...actor, pid: 9 } }),
        resumed({ from: actor, acceptedChanges: [change('a'), change('b')] }),
      ).map(([, , what]) => what),
    ).toEqual(['resumed', 'taken-over; from ada@engine:9', 'resumed; from ada@engine:1; changed steps accepted: a, b']);
  });

  it('says which rows a new pass tries again', () => {
    const rejected = [
      { step: 'a', code: 'bad', rows: 3 },
      { step: 'b', code: 'worse', rows: 1 },
    ];
    expect(entriesOf(reopened({ pass: 2, rejected }))).toEqual([
      [null, 'ada@engine:1', 'pass 2 tries again: 3 of a (bad), 1 of b (worse)'],
    ]);
  });

  it('keeps the first and the latest 499 entries, and counts those between', () => {
    const events = [runStarted(manifestStep('a')), ...Array.from({ length: 502 }, (_, n) => paused({ message: `${n}` }))];
    expect(folded(timeline, ...events.slice(0, 500))).toMatchObject({ omitted: 0 });
    const { entries, omitted } = folded(timeline, ...events);
    expect(omitted).toBe(3);
    expect(entries).toHaveLength(500);
    expect(entries[0]).toMatchObject({ type: 'RunStarted' });
    expect(entries[1]).toMatchObject({ what: 'asked: 3' });
    expect(entries[499]).toMatchObject({ what: 'asked: 501' });
  });
});
