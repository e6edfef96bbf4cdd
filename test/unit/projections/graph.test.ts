import { describe, expect, it } from 'vitest';
import { graph, type GraphState } from '../../../projections/index.ts';
import type { NewEvent } from '../../../schema/index.ts';
import {
  batchAbandoned,
  batchFailed,
  batchRead,
  batchStarted,
  batchSucceeded,
  cancelled,
  failure,
  finished,
  folded,
  manifestStep,
  noneRejected,
  paused,
  resumed,
  runStarted,
  stepFailed,
  stepFinished,
  stepStarted,
} from '../../fixtures/events.ts';

const begin = runStarted(manifestStep('source'), manifestStep('call', ['source']), manifestStep('leaf', ['call']));
const given = (...events: readonly NewEvent[]): GraphState => folded(graph, begin, ...events);
const giveUp = (step: string, batch: number, code = 'down') =>
  batchFailed(step, batch, { retryInMs: null, failsStep: true, error: failure(code) });
const read = (...batches: readonly number[]) => batches.flatMap((batch) => [batchStarted('source', batch), batchRead('source', batch)]);
const called = (batch: number, rows = 10) => [batchStarted('call', batch), batchSucceeded('call', batch, { rows })];

describe('the graph of a run', () => {
  it('is absent until the run starts, whatever other events come', () => {
    const absent = folded(graph);
    expect(absent).toEqual({
      status: 'absent',
      pipeline: '',
      seed: 0,
      epoch: 0,
      pass: 0,
      paused: null,
      order: [],
      steps: {},
    });
    for (const event of [
      resumed(),
      paused(),
      cancelled,
      finished(),
      batchStarted('call', 0),
      batchSucceeded('call', 0),
      batchFailed('call', 0),
    ])
      expect(folded(graph, event)).toEqual(absent);
  });

  it('is built from the manifest, once', () => {
    const state = given();
    expect(state).toMatchObject({
      status: 'running',
      pipeline: 'numbers',
      seed: 7,
      epoch: 1,
      pass: 1,
      paused: null,
      order: ['source', 'call', 'leaf'],
    });
    expect(state.steps['call']).toEqual({
      plan: {
        operator: 'map',
        upstream: ['source'],
        consumers: ['leaf'],
        cut: { kind: 'aligned' },
        concurrency: 4,
        signature: 'signature of call',
      },
      status: 'waiting',
      blocked: false,
      next: 0,
      end: null,
      settled: 0,
      over: [],
      open: {},
      inboxes: [[]],
      again: [],
      skip: 0,
      offset: 0,
      origin: null,
      failure: null,
      lost: 0,
    });
    expect(given(runStarted(manifestStep('other')))).toEqual(state);
  });

  it('pauses, and continues with the epoch of the driver that resumes it', () => {
    const state = given(paused({ reason: 'auth', message: 'no key', step: 'call' }));
    expect(state).toMatchObject({ status: 'paused', paused: { reason: 'auth', message: 'no key', step: 'call' } });
    expect(given(paused(), paused({ message: 'another' }))).toEqual(given(paused()));
    expect(given(paused(), resumed({ epoch: 5 }))).toMatchObject({ status: 'running', paused: null, epoch: 5 });
    expect(given(resumed({ epoch: 6 }))).toMatchObject({ status: 'running', epoch: 6 });
  });

  it('applies the changes to its steps that a takeover accepted', () => {
    const change = { step: 'call', kind: 'changed' as const, parts: ['code'], signature: 'another' };
    const { steps } = given(resumed({ acceptedChanges: [change], concurrency: { leaf: 9 } }));
    expect(steps['call']?.plan).toMatchObject({ signature: 'another', concurrency: 4 });
    expect(steps['leaf']?.plan).toMatchObject({ signature: 'signature of leaf', concurrency: 9 });
    expect(given(resumed({ concurrency: { leaf: 9 } })).steps['leaf']?.plan.concurrency).toBe(9);
    expect(given(resumed({ acceptedChanges: [change] })).steps['call']?.plan.signature).toBe('another');
  });

  it('can be cancelled while it runs or is paused, and then does not change', () => {
    expect(given(cancelled)).toMatchObject({ status: 'cancelled', paused: null });
    expect(given(paused(), cancelled)).toMatchObject({ status: 'cancelled', paused: null });
    const over = given(cancelled);
    for (const event of [resumed(), paused(), finished(), runStarted(manifestStep('x'))]) expect(given(cancelled, event)).toEqual(over);
  });

  it.each(['succeeded', 'partial', 'failed'] as const)('ends as %s, and does not change after that', (outcome) => {
    const over = given(finished(outcome));
    expect(over.status).toBe(outcome);
    for (const event of [resumed(), paused(), cancelled, finished('succeeded')]) expect(given(finished(outcome), event)).toEqual(over);
    expect(given(paused(), finished(outcome)).status).toBe('paused');
  });
});

describe('a step', () => {
  it('runs when it is started, records the origin of its rows, and ends once', () => {
    const origin = { path: 'rows.csv' };
    expect(given(stepStarted('source', { origin })).steps['source']).toMatchObject({ status: 'running', origin });
    const over = [stepStarted('source', { origin }), stepFinished('source')];
    expect(given(...over).steps['source']).toMatchObject({ status: 'finished', open: {}, origin });
    for (const late of [stepStarted('source'), stepFailed('source'), stepFinished('source')])
      expect(given(...over, late)).toEqual(given(...over));
    const dead = given(stepFailed('call'));
    expect(dead.steps['call']).toMatchObject({ status: 'failed', open: {} });
    expect(given(stepFailed('call'), stepFinished('call'))).toEqual(dead);
    expect(given(stepFinished('call')).steps['call']).toMatchObject({ status: 'finished' });
  });

  it('that does not exist changes nothing', () => {
    const events = [
      stepStarted('gone'),
      stepFinished('gone'),
      stepFailed('gone'),
      batchStarted('gone', 0),
      batchSucceeded('gone', 0),
      batchFailed('gone', 0),
      giveUp('gone', 0),
      batchAbandoned('gone', 0),
    ];
    for (const event of events) expect(given(event)).toEqual(given());
  });

  it('drops its running batches when it ends', () => {
    const open = [...read(0), batchStarted('call', 0)];
    expect(given(...open).steps['call']?.open).toHaveProperty('0');
    expect(given(...open, stepFailed('call')).steps['call']?.open).toEqual({});
    expect(given(...open, stepFinished('call')).steps['call']?.open).toEqual({});
  });
});

describe('a batch', () => {
  const inputs = [{ step: 'source', pass: 1, from: [0, 0], to: [0, 10] }] as const;

  it('is open from its start, and keeps its counts and input over its attempts', () => {
    const first = given(...read(0), batchStarted('call', 0, { inputs, rows: 10 }));
    expect(first.steps['call']).toMatchObject({ next: 1, inboxes: [[]] });
    expect(first.steps['call']?.open['0']).toEqual({
      attempt: 1,
      state: 'running',
      notBefore: 0,
      failures: 0,
      crashes: 0,
      alone: false,
      losses: 0,
      inputs,
      rows: 10,
    });
    const second = given(
      ...read(0),
      batchStarted('call', 0, { inputs, rows: 10 }),
      batchFailed('call', 0),
      batchStarted('call', 0, { attempt: 2, inputs, rows: 3, alone: true }),
    );
    expect(second.steps['call']?.open['0']).toMatchObject({ attempt: 2, state: 'running', failures: 1, alone: true, rows: 10 });
  });

  it('waits after a failed attempt, which may count or not', () => {
    const events = [...read(0), batchStarted('call', 0, { alone: true })];
    const position = 1 + events.length + 1;
    expect(given(...events, batchFailed('call', 0, { retryInMs: 250 })).steps['call']?.open['0']).toMatchObject({
      state: 'waiting',
      notBefore: position * 1_000_000 + 250_000,
      failures: 1,
      crashes: 0,
      alone: false,
      losses: 0,
    });
    expect(given(...events, batchFailed('call', 0, { retryInMs: 0, counted: false })).steps['call']?.open['0']).toMatchObject({
      state: 'waiting',
      notBefore: 0,
      failures: 0,
    });
  });

  it('counts crashes of its driver until an attempt fails by itself', () => {
    const lost = [...read(0), batchStarted('call', 0), batchAbandoned('call', 0)];
    expect(given(...lost).steps['call']?.open['0']).toMatchObject({
      state: 'waiting',
      notBefore: 0,
      crashes: 1,
      alone: false,
      losses: 0,
    });
    const again = [...lost, batchStarted('call', 0, { attempt: 2, alone: true })];
    expect(given(...again).steps['call']?.open['0']).toMatchObject({ state: 'running', crashes: 1, alone: true });
    expect(given(...again, batchAbandoned('call', 0, 2)).steps['call']?.open['0']).toMatchObject({
      crashes: 2,
      alone: false,
      losses: 1,
    });
    expect(given(...again, batchFailed('call', 0, { attempt: 2 })).steps['call']?.open['0']).toMatchObject({ crashes: 0, losses: 0 });
  });

  it('that is poison gets one more try when its paused run is resumed; other batches do not change', () => {
    const lostAlone = [1, 2, 3].flatMap((attempt) => [
      batchStarted('call', 0, { attempt, alone: true }),
      batchAbandoned('call', 0, attempt),
    ]);
    const events = [...read(0, 1), ...lostAlone, batchStarted('call', 1), batchAbandoned('call', 1)];
    const lossesOf = (...more: readonly NewEvent[]) =>
      Object.values(given(...events, ...more).steps['call']?.open ?? {}).map(({ losses }) => losses);
    expect(lossesOf()).toEqual([3, 0]);
    expect(lossesOf(resumed())).toEqual([3, 0]);
    expect(lossesOf(paused(), resumed())).toEqual([2, 0]);
  });

  it('follows its running attempt: late events and events of other attempts change nothing', () => {
    const running = [...read(0, 1), batchStarted('call', 0), batchFailed('call', 0), batchStarted('call', 0, { attempt: 2 })];
    const late = [
      batchSucceeded('call', 0),
      batchFailed('call', 0),
      batchAbandoned('call', 0),
      giveUp('call', 0),
      batchFailed('call', 0, { attempt: 3, retryInMs: null }),
      batchSucceeded('call', 1),
      giveUp('call', 1),
    ];
    for (const event of late) expect(given(...running, event)).toEqual(given(...running));
    const waiting = [...read(0), batchStarted('call', 0), batchFailed('call', 0)];
    for (const event of [batchSucceeded('call', 0), batchFailed('call', 0), batchAbandoned('call', 0), giveUp('call', 0)])
      expect(given(...waiting, event)).toEqual(given(...waiting));
    expect(given(...waiting, batchFailed('call', 0, { attempt: 2, retryInMs: null })).steps['call']).toMatchObject({ settled: 1, lost: 1 });
  });

  it('that is over offers its rows to every consumer, and counts its losses', () => {
    const rejected = { ...noneRejected, count: 3, codes: { x: 3 } };
    const state = given(...read(0), batchStarted('call', 0), batchSucceeded('call', 0, { rows: 7, rejected }));
    expect(state.steps['call']).toMatchObject({ settled: 1, over: [], open: {}, lost: 3 });
    expect(state.steps['leaf']).toMatchObject({ inboxes: [[[0, 7]]] });
  });

  it('that ends out of order waits for those before it', () => {
    const events = [...read(0, 1, 2, 3, 4), ...[0, 1, 2, 3, 4].map((batch) => batchStarted('call', batch))];
    const ends = (...batches: readonly number[]) =>
      given(...events, ...batches.map((batch) => batchSucceeded('call', batch))).steps['call'] as GraphState['steps'][string];
    expect(ends(3)).toMatchObject({ settled: 0, over: [[3, 4]] });
    expect(ends(3, 1)).toMatchObject({
      settled: 0,
      over: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(ends(3, 1, 2)).toMatchObject({ settled: 0, over: [[1, 4]] });
    expect(ends(1, 4, 0)).toMatchObject({ settled: 2, over: [[4, 5]] });
    expect(ends(3, 1, 2, 0)).toMatchObject({ settled: 4, over: [] });
    expect(ends(3, 1, 2, 0).inboxes).toEqual([[]]);
    expect(given(...events, batchSucceeded('call', 3), batchSucceeded('call', 1)).steps['leaf']?.inboxes).toEqual([
      [
        [1, 10],
        [3, 10],
      ],
    ]);
  });

  it('without rows also ends in the steps below', () => {
    const state = given(...read(0, 1), ...called(1), ...called(0, 0));
    expect(state.steps['leaf']).toMatchObject({ settled: 1, inboxes: [[[1, 10]]] });
  });
});

describe('a source', () => {
  it('has as many batches as it read up to its last one, as have the steps below', () => {
    const state = given(...read(0), batchStarted('source', 1), batchRead('source', 1, true, 4));
    expect(state.steps['source']).toMatchObject({ offset: 14, end: 2, settled: 2 });
    expect(state.steps['call']).toMatchObject({
      end: 2,
      settled: 0,
      inboxes: [
        [
          [0, 10],
          [1, 4],
        ],
      ],
    });
    expect(given(...read(0)).steps['source']).toMatchObject({ offset: 10, end: null });
  });
});

describe('a step that fails', () => {
  const flow = [...read(0, 1, 2), ...[0, 1, 2].map((batch) => batchStarted('call', batch))];

  it('ends at its lowest batch that was given up, and the steps below process the batches before it', () => {
    const state = given(...flow, giveUp('call', 1));
    expect(state.steps['call']).toMatchObject({ end: 1, lost: 1, failure: { batch: 1, code: 'down', message: 'down happened' } });
    expect(state.steps['leaf']).toMatchObject({ blocked: true, end: 1 });
    expect(state.steps['source']).toMatchObject({ blocked: false, end: null });
  });

  it('keeps the lowest batch, even if another one was given up first', () => {
    const lower = given(...flow, giveUp('call', 2, 'second'), giveUp('call', 1, 'first'));
    expect(lower.steps['call']?.failure).toMatchObject({ batch: 1, code: 'first' });
    expect(lower.steps['leaf']?.end).toBe(1);
    const higher = given(...flow, giveUp('call', 1, 'first'), giveUp('call', 2, 'second'));
    expect(higher.steps['call']).toMatchObject({ failure: { batch: 1, code: 'first' }, lost: 2 });
  });

  it('blocks all steps below it, and no other step', () => {
    const wide = runStarted(
      manifestStep('source'),
      manifestStep('call', ['source']),
      manifestStep('other', ['source']),
      manifestStep('both', ['other', 'call'], { operator: 'join' }),
      manifestStep('end', ['both']),
    );
    const state = folded(graph, wide, ...read(0), batchStarted('call', 0), giveUp('call', 0));
    expect(
      folded(graph, wide, batchStarted('source', 0), batchRead('source', 0, true), batchStarted('call', 0), giveUp('call', 0)),
    ).toMatchObject({
      steps: { other: { end: 1 }, both: { end: 0 }, end: { end: 0 } },
    });
    expect(Object.entries(state.steps).map(([name, { blocked, end }]) => [name, blocked, end])).toEqual([
      ['source', false, null],
      ['call', false, 0],
      ['other', false, null],
      ['both', true, 0],
      ['end', true, 0],
    ]);
  });

  it('does not end at a batch that only costs its own rows', () => {
    const state = given(...flow, batchFailed('call', 1, { retryInMs: null, failsStep: false }));
    expect(state.steps['call']).toMatchObject({ failure: null, lost: 1, end: null, over: [[1, 2]] });
    expect(state.steps['leaf']).toMatchObject({ blocked: false, over: [[1, 2]] });
  });
});

describe('a re-cut step', () => {
  const recut = runStarted(
    manifestStep('source'),
    manifestStep('other'),
    manifestStep('groups', ['source', 'other'], { operator: 'batch', cut: { kind: 'recut', rows: 15 } }),
  );
  const span = (step: string, from: readonly [number, number], to: readonly [number, number]) => ({ step, pass: 1, from, to });

  it('takes rows from its inbox span by span', () => {
    const events = [...read(0, 1)];
    const first = folded(graph, recut, ...events, batchStarted('groups', 0, { inputs: [span('source', [0, 0], [1, 5])] }));
    expect(first.steps['groups']).toMatchObject({ inboxes: [[[1, 10]], []], skip: 5, next: 1 });
    const more = [...events, batchStarted('groups', 0, { inputs: [span('source', [0, 0], [1, 5])] })];
    const second = folded(graph, recut, ...more, batchStarted('groups', 1, { inputs: [span('source', [1, 5], [1, 10])] }));
    expect(second.steps['groups']).toMatchObject({ inboxes: [[], []], skip: 0, next: 2 });
  });

  it('continues with the next upstream step when one is used up', () => {
    const state = folded(
      graph,
      recut,
      batchStarted('source', 0),
      batchRead('source', 0, true),
      batchStarted('other', 0),
      batchRead('other', 0),
      batchStarted('groups', 0, { inputs: [span('source', [0, 0], [0, 10]), span('other', [0, 0], [0, 5])] }),
    );
    expect(state.steps['groups']).toMatchObject({ inboxes: [[], [[0, 10]]], skip: 5, end: null });
  });

  it('does not wait for batches after the one that ended a step above it', () => {
    const below = runStarted(
      manifestStep('source'),
      manifestStep('call', ['source']),
      manifestStep('groups', ['call'], { cut: { kind: 'recut', rows: 10 } }),
    );
    const events = [...read(0, 1, 2), ...[0, 1, 2].flatMap((batch) => [batchStarted('call', batch)])];
    const ends = [batchSucceeded('call', 0), batchSucceeded('call', 2), giveUp('call', 1)];
    expect(folded(graph, below, ...events, ...ends).steps['groups']).toMatchObject({ end: null });
    const taken = batchStarted('groups', 0, { inputs: [span('call', [0, 0], [0, 10])] });
    expect(folded(graph, below, ...events, ...ends, taken).steps['groups']).toMatchObject({ end: 1, blocked: true });
  });

  it('knows its number of batches when all input is over and taken', () => {
    const all = [batchStarted('source', 0), batchRead('source', 0, true), batchStarted('other', 0), batchRead('other', 0, true, 0)];
    expect(folded(graph, recut, ...all).steps['groups']).toMatchObject({ end: null });
    const taken = [...all, batchStarted('groups', 0, { inputs: [span('source', [0, 0], [0, 10])] })];
    expect(folded(graph, recut, ...taken).steps['groups']).toMatchObject({ end: 1 });
    const empty = [batchStarted('source', 0), batchRead('source', 0, true, 0), batchStarted('other', 0), batchRead('other', 0, true, 0)];
    expect(folded(graph, recut, ...empty).steps['groups']).toMatchObject({ end: 0, next: 0 });
  });
});

describe('a step over all rows of another', () => {
  const whole = runStarted(manifestStep('source'), manifestStep('total', ['source'], { operator: 'global', cut: { kind: 'whole' } }));

  it('has one batch with all rows that arrived', () => {
    const state = folded(graph, whole, ...read(0), batchStarted('source', 1), batchRead('source', 1, false, 0), ...read(2));
    expect(state.steps['total']).toMatchObject({ end: 1, inboxes: [[[0, 20]]] });
    expect(folded(graph, whole, batchStarted('source', 0), batchRead('source', 0, true, 0)).steps['total']).toMatchObject({
      inboxes: [[]],
    });
    const begun = folded(graph, whole, ...read(0), batchStarted('total', 0));
    expect(begun.steps['total']).toMatchObject({ end: 1, next: 1, inboxes: [[]] });
  });

  it('has no batch below a step that failed: part of the input would give another result', () => {
    const state = folded(graph, whole, ...read(0), batchStarted('source', 1), giveUp('source', 1));
    expect(state.steps['total']).toMatchObject({ blocked: true, end: 0 });
    const far = runStarted(
      manifestStep('source'),
      manifestStep('groups', ['source'], { cut: { kind: 'recut', rows: 10 } }),
      manifestStep('total', ['groups'], { operator: 'global', cut: { kind: 'whole' } }),
    );
    const dead = folded(graph, far, ...read(0), batchStarted('source', 1), giveUp('source', 1));
    expect(dead.steps['groups']).toMatchObject({ blocked: true, end: null });
    expect(dead.steps['total']).toMatchObject({ blocked: true, end: 0 });
  });
});

describe('branches that meet', () => {
  const meeting = runStarted(
    manifestStep('source'),
    manifestStep('left', ['source']),
    manifestStep('right', ['source']),
    manifestStep('both', ['left', 'right'], { operator: 'join' }),
  );
  const done = (step: string, batch: number, rows = 10) => [batchStarted(step, batch), batchSucceeded(step, batch, { rows })];

  it('deliver batch by batch, in any order', () => {
    const state = folded(graph, meeting, ...read(0, 1), ...done('right', 1, 3), ...done('right', 0, 4), ...done('left', 1, 5));
    expect(state.steps['both']).toMatchObject({
      inboxes: [
        [[1, 5]],
        [
          [0, 4],
          [1, 3],
        ],
      ],
      settled: 0,
    });
    const begun = folded(graph, meeting, ...read(0), ...done('left', 0), ...done('right', 0), batchStarted('both', 0));
    expect(begun.steps['both']).toMatchObject({ inboxes: [[], []], next: 1 });
  });

  it('end a batch below them when neither has rows of it', () => {
    const half = [...read(0), ...done('left', 0, 0)];
    expect(folded(graph, meeting, ...half).steps['both']).toMatchObject({ settled: 0 });
    expect(folded(graph, meeting, ...half, ...done('right', 0, 0)).steps['both']).toMatchObject({ settled: 1 });
    expect(folded(graph, meeting, ...half, ...done('right', 0, 2)).steps['both']).toMatchObject({ settled: 0, inboxes: [[], [[0, 2]]] });
  });
});
