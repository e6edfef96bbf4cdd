// The commands that a state calls for, case by case. `decide.test.ts` runs whole worlds.
import { describe, expect, it } from 'vitest';
import { graph, type GraphState } from '../../../projections/index.ts';
import type { ManifestStep, NewEvent } from '../../../schema/index.ts';
import type { Command } from '../../../src/scheduler/commands.ts';
import { decide } from '../../../src/scheduler/decide.ts';
import {
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
  reopened,
  runStarted,
  stepFailed,
  stepFinished,
  stepStarted,
} from '../../fixtures/events.ts';

const later = 1_000_000_000;
const concurrency = (calls: number) => ({ options: { ...manifestStep('x').options, concurrency: calls } });
const recutTo = (rows: number) => ({ cut: { kind: 'recut', rows } }) as const;
const call = (given: Partial<ManifestStep> = {}) => manifestStep('call', ['source'], given);
const begin = (...steps: readonly ManifestStep[]) => [runStarted(manifestStep('source'), ...steps), stepStarted('source')];
/** Returns batches of a source with these numbers of rows. */
const read = (...rows: readonly number[]) =>
  rows.flatMap((count, batch) => [batchStarted('source', batch), batchRead('source', batch, false, count)]);
const readAll = (...rows: readonly number[]) => [
  ...read(...rows.slice(0, -1)),
  batchStarted('source', rows.length - 1),
  batchRead('source', rows.length - 1, true, rows.at(-1)),
  stepFinished('source'),
];

const state = (...events: readonly NewEvent[]): GraphState => folded(graph, ...events);
const commands = (...events: readonly NewEvent[]): readonly Command[] => decide(state(...events), later).commands;
/** Returns the batches to start, as step/batch, of one step or all. */
const starts = (events: readonly NewEvent[], of?: string): readonly string[] =>
  commands(...events).flatMap((command) =>
    command.type === 'StartBatch' && (of === undefined || command.step === of) ? [`${command.step}/${command.batch}`] : [],
  );

describe('a run', () => {
  it.each([
    ['absent', []],
    ['paused', [...begin(), paused()]],
    ['cancelled', [...begin(), cancelled]],
    ['over', [...begin(), finished()]],
  ] as const)('that is %s calls for nothing', (_status, events) => {
    expect(decide(state(...events), later)).toMatchObject({ commands: [], wakeAt: null });
  });

  it('begins with its source', () => {
    expect(commands(runStarted(manifestStep('source'), call()))).toEqual([
      { type: 'StartStep', step: 'source' },
      {
        type: 'StartBatch',
        step: 'source',
        batch: 0,
        attempt: 1,
        failures: 0,
        inputs: [],
        retriesRows: false,
        rows: 0,
        offset: 0,
        alone: false,
      },
    ]);
  });

  const over = (...more: readonly NewEvent[]) => [...begin(call()), ...readAll(10), batchStarted('call', 0), ...more];

  it('finishes a step whose batches have ended, then itself', () => {
    const done = over(batchSucceeded('call', 0));
    expect(commands(...done)).toEqual([{ type: 'FinishStep', step: 'call' }]);
    expect(commands(...done, stepFinished('call'))).toEqual([{ type: 'FinishRun', outcome: 'succeeded' }]);
  });

  it('is partial if any row was lost', () => {
    const rejected = { ...noneRejected, count: 1, codes: { x: 1 } };
    expect(commands(...over(batchSucceeded('call', 0, { rejected }), stepFinished('call')))).toEqual([
      { type: 'FinishRun', outcome: 'partial' },
    ]);
  });

  it('fails a step at its lowest batch that was given up, and fails if no leaf finished', () => {
    const dead = over(batchFailed('call', 0, { retryInMs: null, failsStep: true, error: failure('down') }));
    expect(commands(...dead)).toEqual([{ type: 'FailStep', step: 'call', code: 'down', message: 'down happened' }]);
    expect(commands(...dead, stepFailed('call'))).toEqual([{ type: 'FinishRun', outcome: 'failed' }]);
  });

  it('is partial if one leaf of several failed, and never finishes blocked steps', () => {
    const events = [
      ...begin(call(), manifestStep('below', ['call']), manifestStep('other', ['source'])),
      ...readAll(10),
      batchStarted('call', 0),
      batchFailed('call', 0, { retryInMs: null, failsStep: true }),
      stepFailed('call'),
      batchStarted('other', 0),
    ];
    expect(commands(...events)).toEqual([]);
    expect(commands(...events, batchSucceeded('other', 0), stepFinished('other'))).toEqual([{ type: 'FinishRun', outcome: 'partial' }]);
  });

  it('waits for running batches', () => {
    expect(decide(state(...over()), later)).toMatchObject({ commands: [], wakeAt: null });
  });
});

describe('a source', () => {
  it('reads one batch after the other, each from the end of the one before', () => {
    expect(commands(...begin(call()), ...read(7, 5))).toMatchObject([
      { type: 'StartBatch', step: 'source', batch: 2, offset: 12, inputs: [], rows: 0 },
      { type: 'StartStep', step: 'call' },
      { step: 'call', batch: 0 },
      { step: 'call', batch: 1 },
    ]);
    expect(starts([...begin(call()), ...read(7), batchStarted('source', 1)], 'source')).toEqual([]);
    expect(starts([...begin(call()), batchStarted('source', 0), batchFailed('source', 0, { retryInMs: 10_000_000 })], 'source')).toEqual(
      [],
    );
  });

  it('reads no further than its last batch', () => {
    expect(starts([...begin(call()), ...readAll(7)], 'source')).toEqual([]);
  });
});

describe('an attempt that failed', () => {
  const events = [
    ...begin(call(), manifestStep('other', ['source'])),
    ...readAll(10),
    batchStarted('call', 0, { rows: 10, inputs: [{ step: 'source', pass: 1, from: [0, 0], to: [0, 10] }] }),
    batchStarted('other', 0),
  ];
  // The events above have positions, and so seconds, from 1.
  const failedAt = (events.length + 1) * 1_000_000;

  it('is retried when it is due, with the same input', () => {
    const waiting = state(...events, batchFailed('call', 0, { retryInMs: 3_000 }));
    expect(decide(waiting, failedAt + 2_999_999)).toMatchObject({ commands: [], wakeAt: failedAt + 3_000_000 });
    expect(decide(waiting, failedAt + 3_000_000)).toMatchObject({
      commands: [
        {
          type: 'StartBatch',
          step: 'call',
          batch: 0,
          attempt: 2,
          failures: 1,
          inputs: [{ step: 'source', pass: 1, from: [0, 0], to: [0, 10] }],
          retriesRows: false,
          rows: 10,
          offset: 0,
          alone: false,
        },
      ],
      wakeAt: null,
    });
  });

  it('that is due first decides when to decide again', () => {
    const both = [...events, batchFailed('call', 0, { retryInMs: 3_000 }), batchFailed('other', 0, { retryInMs: 1_000 })];
    expect(decide(state(...both), failedAt).wakeAt).toBe(failedAt + 1_000_000 + 1_000_000);
    const sooner = [...events, batchFailed('other', 0, { retryInMs: 1_000 }), batchFailed('call', 0, { retryInMs: 3_000 })];
    expect(decide(state(...sooner), failedAt).wakeAt).toBe(failedAt + 1_000_000);
  });
});

describe('concurrent batches', () => {
  const flow = (given: Partial<ManifestStep>, ...rows: readonly number[]) => [...begin(call(given)), ...readAll(...rows)];

  it('are enough to keep all lanes busy, even if the largest has one row left', () => {
    expect(starts(flow(concurrency(4), 3, 3, 3, 3, 3))).toEqual(['call/0', 'call/1', 'call/2']);
    expect(starts(flow(concurrency(4), 100, 3, 3, 3))).toEqual(['call/0', 'call/1', 'call/2']);
    expect(starts(flow(concurrency(3), 3, 3, 3))).toEqual(['call/0', 'call/1']);
    expect(starts(flow(concurrency(1), 1, 1, 1))).toEqual(['call/0', 'call/1']);
  });

  it('include those that run', () => {
    const events = flow(concurrency(4), 3, 3, 3, 3, 3);
    const running = [batchStarted('call', 0, { rows: 3 }), batchStarted('call', 1, { rows: 3 })];
    expect(starts([...events, ...running])).toEqual(['call/2']);
    expect(starts([...events, ...running, batchStarted('call', 2, { rows: 3 })])).toEqual([]);
    expect(starts([...events, ...running, batchFailed('call', 0)])).toEqual(['call/0', 'call/2']);
  });

  it('are one call each if a function gets their rows together', () => {
    const together = (operator: ManifestStep['operator']) => starts(flow({ ...concurrency(2), operator }, 30, 30, 30, 30, 30));
    expect(together('mapBatch')).toEqual(['call/0', 'call/1', 'call/2']);
    expect(together('batch')).toEqual(['call/0', 'call/1', 'call/2']);
    expect(together('map')).toEqual(['call/0', 'call/1']);
  });
});

describe('a step that runs ahead', () => {
  const wide = (rows: number) => Array.from({ length: 120 }, () => rows);

  it('waits while enough of its rows wait for the next step', () => {
    // 106 batches may be on the edge between steps of 50 calls and of one, which has two of them.
    const line = [...begin(call({ ...concurrency(50) }), manifestStep('slow', ['call'], concurrency(1))), ...readAll(...wide(1))];
    expect(starts(line, 'call')).toHaveLength(63);
    const done = Array.from({ length: 106 }, (_, batch) => [
      batchStarted('call', batch),
      batchSucceeded('call', batch, { rows: 1 }),
    ]).flat();
    const busy = [batchStarted('slow', 0, { rows: 10 }), batchStarted('slow', 1, { rows: 10 })];
    expect(starts([...line, ...done, ...busy], 'call')).toEqual(['call/106', 'call/107']);
    expect(starts([...line, ...done], 'call')).toEqual([]);
  });

  it('waits later if the next step has more lanes', () => {
    const line = [...begin(call({ ...concurrency(50) }), manifestStep('slow', ['call'], concurrency(2))), ...readAll(...wide(1))];
    const done = (count: number) =>
      Array.from({ length: count }, (_, batch) => [batchStarted('call', batch), batchSucceeded('call', batch, { rows: 1 })]).flat();
    const busy = batchStarted('slow', 0, { rows: 10 });
    expect(starts([...line, ...done(108), busy], 'call')).toEqual(['call/108']);
    expect(starts([...line, ...done(109), busy], 'call')).toEqual([]);
  });

  const many = Array.from({ length: 40 }, () => 1);
  /** Another running batch, because a bound is lifted if nothing runs. */
  const other = [manifestStep('other'), batchStarted('other', 0)] as const;
  const withOther = (...steps: readonly ManifestStep[]) => [runStarted(manifestStep('source'), other[0], ...steps), other[1]];

  it('continues if the next step needs more rows for one batch', () => {
    const groups = (rows: number) => manifestStep('groups', ['source'], { operator: 'batch', ...recutTo(rows) });
    expect(starts([...withOther(groups(1_000)), ...read(...many)])).toEqual(['source/40']);
    const two = [...withOther(groups(20)), ...read(...many)];
    expect(starts([...two, batchStarted('groups', 0), batchStarted('groups', 1)], 'source')).toEqual([]);
  });

  it('continues if everything else would wait for it', () => {
    // Rows of `held` must follow rows of `open`, which has none yet.
    const steps = [
      manifestStep('open', ['source']),
      manifestStep('held', ['source']),
      manifestStep('groups', ['open', 'held'], { operator: 'union', ...recutTo(10) }),
    ];
    const all = Array.from({ length: 32 }, () => 20);
    const events = [
      ...begin(...steps),
      ...read(...all),
      ...all.flatMap((_, batch) => [batchStarted('open', batch), batchSucceeded('open', batch, { rows: 0 })]),
      ...all.slice(12).flatMap((_, batch) => [batchStarted('held', batch), batchSucceeded('held', batch, { rows: 20 })]),
    ];
    expect(starts(events)).toEqual(['source/32', 'held/20', 'held/21']);
  });

  it('does not wait for a step that takes all rows at once, or is done', () => {
    const total = manifestStep('total', ['source'], { operator: 'global', cut: { kind: 'whole' } });
    expect(starts([...withOther(total), ...read(...many)])).toEqual(['source/40']);
    const gathering = manifestStep('total', ['call'], { operator: 'global', cut: { kind: 'whole' }, ...concurrency(1) });
    expect(starts([...begin(call(concurrency(50)), gathering), ...readAll(...wide(1))], 'call')).toHaveLength(63);
    const crowded = [...withOther(call(concurrency(1))), ...read(...many), batchStarted('call', 0), batchStarted('call', 1)];
    expect(starts(crowded)).toEqual([]);
    expect(starts([...crowded, stepFailed('call')])).toEqual(['source/40']);
  });
});

describe('a re-cut step', () => {
  const groups = (rows: number, upstream: readonly string[] = ['source']) =>
    manifestStep('groups', upstream, { operator: 'map', ...recutTo(rows), ...concurrency(1_000) });
  const cut = (...events: readonly NewEvent[]) =>
    commands(...events).flatMap((command) =>
      command.type === 'StartBatch' && command.step === 'groups'
        ? [[command.batch, command.rows, ...command.inputs.map(({ step, from, to }) => `${step} ${from.join('.')}-${to.join('.')}`)]]
        : [],
    );

  it('takes the same number of rows each time, from any batches', () => {
    expect(cut(...begin(groups(4)), ...read(3, 6))).toEqual([
      [0, 4, 'source 0.0-1.1'],
      [1, 4, 'source 1.1-1.5'],
    ]);
  });

  it('takes fewer rows only at the very end', () => {
    expect(cut(...begin(groups(4)), ...readAll(3, 6))).toEqual([
      [0, 4, 'source 0.0-1.1'],
      [1, 4, 'source 1.1-1.5'],
      [2, 1, 'source 1.5-1.6'],
    ]);
    expect(cut(...begin(groups(4)), ...read(3))).toEqual([]);
    expect(cut(...begin(groups(3)), ...readAll(3))).toEqual([[0, 3, 'source 0.0-0.3']]);
  });

  it('continues in the middle of a batch', () => {
    const taken = batchStarted('groups', 0, { rows: 4, inputs: [{ step: 'source', pass: 1, from: [0, 0], to: [1, 1] }] });
    expect(cut(...begin(groups(4)), ...readAll(3, 6), taken)).toEqual([
      [1, 4, 'source 1.1-1.5'],
      [2, 1, 'source 1.5-1.6'],
    ]);
  });

  it('takes one upstream step after the other, and waits for earlier rows', () => {
    const both = runStarted(manifestStep('source'), manifestStep('other'), groups(4, ['source', 'other']));
    const other = [batchStarted('other', 0), batchRead('other', 0, true, 3), stepFinished('other')];
    expect(cut(both, ...read(5), ...other)).toEqual([[0, 4, 'source 0.0-0.4']]);
    expect(cut(both, ...readAll(5), ...other)).toEqual([
      [0, 4, 'source 0.0-0.4'],
      [1, 4, 'source 0.4-0.5', 'other 0.0-0.3'],
    ]);
  });

  it('takes only rows that no other row can precede', () => {
    const line = [...begin(call(), manifestStep('groups', ['call'], { operator: 'map', ...recutTo(4) })), ...read(4, 4)];
    const second = [batchStarted('call', 0), batchStarted('call', 1), batchSucceeded('call', 1, { rows: 4 })];
    expect(cut(...line, ...second)).toEqual([]);
    expect(cut(...line, ...second, batchSucceeded('call', 0, { rows: 4 }))).toHaveLength(2);
  });

  it('has the same bound on calls as other steps', () => {
    const narrow = manifestStep('groups', ['source'], { operator: 'map', ...recutTo(2), ...concurrency(3) });
    expect(cut(...begin(narrow), ...readAll(9))).toHaveLength(3);
  });
});

describe('a step that gets all rows of another', () => {
  const total = [...begin(manifestStep('total', ['source'], { operator: 'global', cut: { kind: 'whole' } }))];

  it('begins once, when all rows have arrived', () => {
    expect(starts([...total, ...read(3, 4)], 'total')).toEqual([]);
    expect(commands(...total, ...readAll(3, 4))).toMatchObject([
      { type: 'StartStep', step: 'total' },
      { step: 'total', batch: 0, rows: 7, inputs: [{ step: 'source', pass: 1, from: [0, 0], to: [2, 0] }] },
    ]);
    expect(starts([...total, ...readAll(3, 4), batchStarted('total', 0)])).toEqual([]);
  });

  it('begins without rows, too', () => {
    expect(commands(...total, ...readAll(0))).toMatchObject([{ type: 'StartStep' }, { step: 'total', rows: 0 }]);
  });

  it('does not begin if the step above failed', () => {
    const dead = [batchStarted('source', 0), batchFailed('source', 0, { retryInMs: null, failsStep: true })];
    expect(commands(...total, ...dead)).toMatchObject([{ type: 'FailStep', step: 'source' }]);
    expect(commands(...total, ...dead, stepFailed('source'))).toEqual([{ type: 'FinishRun', outcome: 'failed' }]);
  });
});

describe('branches that meet', () => {
  const meeting = (operator: 'join' | 'union') => [
    ...begin(manifestStep('left', ['source']), manifestStep('right', ['source']), manifestStep('both', ['left', 'right'], { operator })),
    ...readAll(5, 5, 5),
  ];
  const done = (step: string, batch: number, rows: number) => [
    batchStarted(step, batch, { rows: 5 }),
    batchSucceeded(step, batch, { rows }),
  ];
  const span = (step: string, batch: number, rows: number, pass = 1) => ({ step, pass, from: [batch, 0], to: [batch, rows] });
  const both = (...events: readonly NewEvent[]) =>
    commands(...events).filter((command) => command.type === 'StartBatch' && command.step === 'both');

  it('wait for each other, batch by batch', () => {
    const arrived = [...done('left', 1, 2), ...done('left', 0, 4), ...done('right', 1, 3)];
    expect(both(...meeting('join'), ...arrived)).toMatchObject([{ batch: 1, rows: 3, inputs: [span('left', 1, 2), span('right', 1, 3)] }]);
    expect(both(...meeting('join'), ...arrived, ...done('right', 0, 1))).toMatchObject([
      { batch: 0, rows: 4, inputs: [span('left', 0, 4), span('right', 0, 1)] },
      { batch: 1 },
    ]);
  });

  it('are added up by a union, with the rows that each has', () => {
    const arrived = [...done('left', 0, 4), ...done('right', 0, 1), ...done('left', 1, 0), ...done('right', 1, 2)];
    expect(both(...meeting('union'), ...arrived)).toMatchObject([
      { batch: 0, rows: 5, inputs: [span('left', 0, 4), span('right', 0, 1)] },
      { batch: 1, rows: 2, inputs: [span('right', 1, 2)] },
    ]);
  });

  it('of a later pass are joined with rows that the others delivered before', () => {
    const all = [0, 1, 2].flatMap((batch) => [...done('left', batch, 5), ...done('right', batch, 5), ...done('both', batch, 5)]);
    const ends = ['left', 'right', 'both'].map(stepFinished);
    const pass = 2;
    const again = [
      reopened({ again: { left: [[1, 2]] } }),
      batchStarted('left', 1, { pass, rows: 2 }),
      batchSucceeded('left', 1, { pass, rows: 2 }),
      stepFinished('left'),
    ];
    const whole = (step: string) => ({ step, pass: 1, from: [1, 0], to: [2, 0] });
    expect(both(...meeting('join'), ...all, ...ends, finished(), ...again)).toMatchObject([
      { batch: 1, rows: 2, retriesRows: false, inputs: [whole('left'), span('left', 1, 2, 2), whole('right')] },
    ]);
    expect(both(...meeting('union'), ...all, ...ends, finished(), ...again)).toMatchObject([
      { batch: 1, rows: 2, inputs: [span('left', 1, 2, 2)] },
    ]);
  });
});

describe('a new pass', () => {
  const whole = (step: string, ...batches: readonly number[]) => [
    ...batches.flatMap((batch) => [batchStarted(step, batch), batchSucceeded(step, batch)]),
    stepFinished(step),
  ];
  const line = [...begin(call(), manifestStep('leaf', ['call'])), ...readAll(10, 10, 10)];
  const over = [...line, ...whole('call', 0, 1, 2), ...whole('leaf', 0, 1, 2), finished('partial')];

  it('begins with the batches that have rows to retry', () => {
    expect(
      commands(
        ...over,
        reopened({
          again: {
            call: [
              [0, 2],
              [2, 1],
            ],
          },
        }),
      ),
    ).toMatchObject([
      { type: 'StartBatch', step: 'call', batch: 0, attempt: 1, rows: 2, retriesRows: true, inputs: [] },
      { type: 'StartBatch', step: 'call', batch: 2, attempt: 1, rows: 1, retriesRows: true, inputs: [] },
    ]);
  });

  it('adds rows from above to the rows to retry', () => {
    const pass = 2;
    const events = [
      ...over,
      reopened({
        again: {
          call: [[1, 2]],
          leaf: [
            [0, 4],
            [1, 3],
          ],
        },
      }),
      batchStarted('call', 1, { pass, rows: 2 }),
    ];
    // Batch 1 waits for rows that may come from above; batch 0 is complete.
    expect(commands(...events)).toMatchObject([{ step: 'leaf', batch: 0, rows: 4, retriesRows: true, inputs: [] }]);
    expect(commands(...events, batchSucceeded('call', 1, { pass, rows: 2 }), stepFinished('call'))).toMatchObject([
      { step: 'leaf', batch: 0, retriesRows: true },
      { step: 'leaf', batch: 1, rows: 5, retriesRows: true, inputs: [{ step: 'call', pass: 2, from: [1, 0], to: [1, 2] }] },
    ]);
  });

  it('starts batches with rows to retry before batches of arriving rows', () => {
    const recut = [...begin(manifestStep('groups', ['source'], { operator: 'map', ...recutTo(15) })), ...readAll(10, 10, 10)];
    const span = (from: readonly [number, number], to: readonly [number, number]) => [{ step: 'source', pass: 1, from, to }];
    const done = [
      batchStarted('groups', 0, { inputs: span([0, 0], [1, 5]) }),
      batchSucceeded('groups', 0),
      batchStarted('groups', 1, { inputs: span([1, 5], [2, 10]) }),
      batchSucceeded('groups', 1),
      stepFinished('groups'),
      finished('partial'),
    ];
    expect(commands(...recut, ...done, reopened({ again: { groups: [[1, 3]] } }))).toMatchObject([
      { type: 'StartBatch', step: 'groups', batch: 1, rows: 3, retriesRows: true, inputs: [] },
    ]);
  });
});
