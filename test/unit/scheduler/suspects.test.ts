import { describe, expect, it } from 'vitest';
import { batchSucceeded } from '../../fixtures/events.ts';
import { actor } from '../../fixtures/actor.ts';
import { graph, type GraphState } from '../../../projections/index.ts';
import type { ManifestStep, NewEvent, RecordedEvent } from '../../../schema/index.ts';
import { formatInstant } from '../../../src/kit/instant.ts';
import { decide } from '../../../src/scheduler/decide.ts';

const options = { batchSize: null, concurrency: 4, timeoutMs: 1, attempts: 3, backoffMs: 0, onError: 'reject' as const };
const steps: readonly ManifestStep[] = [
  {
    name: 'source',
    operator: 'source',
    upstream: [],
    cut: { kind: 'source', rows: 2 },
    options,
    adds: [],
    from: [],
    fork: null,
    key: null,
    signature: '',
  },
  {
    name: 'call',
    operator: 'map',
    upstream: ['source'],
    cut: { kind: 'aligned' },
    options,
    adds: [],
    from: [],
    fork: null,
    key: null,
    signature: '',
  },
];
const none = { count: 0, codes: {}, rows: [], inChunk: false };
const begin: NewEvent = {
  type: 'RunStarted',
  data: {
    manifest: { pipeline: 'p', steps, signature: '' },
    params: {},
    secrets: [],
    seed: 1,
    seeds: 'origin',
    file: null,
    program: { distilog: '', node: '' },
    actor,
  },
};
const resumed = (epoch: number): NewEvent => ({
  type: 'RunResumed',
  data: {
    reason: 'resumed',
    epoch,
    actor,
    from: null,
    positionSeen: 0,
    acceptedChanges: [],
    concurrency: {},
    program: { distilog: '', node: '' },
  },
});
const started = (step: string, batch: number, attempt = 1, alone = false): NewEvent => ({
  type: 'BatchStarted',
  pass: 1,
  step,
  batch,
  attempt,
  data: { inputs: [], offset: 2 * batch, rows: 2, worker: 'w', alone },
});
const read = (batch: number): NewEvent =>
  batchSucceeded('source', batch, { rowsIn: 2, rows: 2, source: { read: 2, last: batch === 2, mark: null, offset: 2 * batch } });
const abandoned = (batch: number, attempt: number): NewEvent => ({
  type: 'BatchAbandoned',
  pass: 1,
  step: 'call',
  batch,
  attempt,
  data: { epoch: 1 },
});
const paused: NewEvent = { type: 'RunPaused', data: { reason: 'poison', message: '', step: 'call', actor } };

const given = (...events: readonly NewEvent[]): GraphState =>
  events.reduce(
    (state, event, index) =>
      graph.evolve(state, {
        ...event,
        logId: 'r',
        position: index + 1,
        recordedAt: formatInstant(index),
        chunks: [],
      } as unknown as RecordedEvent),
    graph.initialState(),
  );

const commands = (...events: readonly NewEvent[]) => decide(given(...events), 1_000_000).commands;

const flow = [begin, started('source', 0), read(0), started('source', 1), read(1), started('call', 0), started('call', 1)];

/** Counts crashes, and rounds of attempts that start together, until a batch that kills its driver runs alone, or until all batches have ended (null). */
function found(count: number, poison: number | null): { readonly crashes: number; readonly rounds: number } {
  const step = (name: string, more: Partial<ManifestStep>): ManifestStep => ({ ...(steps[0] as ManifestStep), ...more, name });
  const wide = { ...options, concurrency: count };
  let position = 0;
  let state = graph.initialState();
  const append = (event: NewEvent) => {
    position++;
    const recorded = { ...event, logId: 'r', position, recordedAt: formatInstant(position), chunks: [] };
    state = graph.evolve(state, recorded as unknown as RecordedEvent);
  };
  const call = step('call', { operator: 'map', upstream: ['source'], cut: { kind: 'aligned' }, options: wide });
  append({ ...begin, data: { ...begin.data, manifest: { pipeline: 'p', steps: [step('source', {}), call], signature: '' } } } as NewEvent);
  for (let batch = 0; batch < count; batch++) {
    append(started('source', batch));
    const last = read(batch) as NewEvent<'BatchSucceeded'>;
    append({ ...last, data: { ...last.data, source: { read: 2, last: batch === count - 1, mark: null, offset: 0 } } });
  }
  const open = () => Object.entries(state.steps['call']?.open ?? {}).filter(([, each]) => each.state === 'running');
  let crashes = 0;
  for (let rounds = 0; ; ) {
    // All batches that may start do so.
    let starts = 0;
    for (let more = decide(state, 1_000_000).commands; more.length > 0; more = decide(state, 1_000_000).commands) {
      for (const each of more) {
        if (each.type === 'StartBatch') append(started(each.step, each.batch, each.attempt, each.alone));
        else if (each.type === 'StartStep') append({ type: 'StepStarted', pass: 1, step: each.step, data: { count: null, origin: null } });
        else if (each.type === 'FinishStep') append({ type: 'StepFinished', pass: 1, step: each.step, data: {} });
        else return { crashes, rounds };
        if (each.type === 'StartBatch') starts++;
      }
    }
    if (starts > 0) rounds++;
    const running = open();
    if (running.some(([batch, { alone }]) => Number(batch) === poison && alone)) return { crashes, rounds };
    if (running.some(([batch]) => Number(batch) === poison) || (poison === null && crashes < 2)) {
      crashes++;
      append(resumed(crashes + 1));
      for (const [batch, { attempt }] of running) append(abandoned(Number(batch), attempt));
      continue;
    }
    for (const [batch, { attempt }] of running) {
      const data = { ...(read(1) as NewEvent<'BatchSucceeded'>).data, source: null };
      append({ type: 'BatchSucceeded', pass: 1, step: 'call', batch: Number(batch), attempt, data });
    }
  }
}

describe('batches that were lost with their driver', () => {
  it('run together with all others after a first crash', () => {
    const starts = commands(...flow, resumed(2), abandoned(0, 1), abandoned(1, 1));
    expect(starts).toMatchObject([
      { type: 'StartStep', step: 'source' },
      { type: 'StartBatch', step: 'source', batch: 2 },
      { type: 'StartBatch', step: 'call', batch: 0, attempt: 2, alone: false },
      { type: 'StartBatch', step: 'call', batch: 1, attempt: 2, alone: false },
    ]);
  });

  const twice = [
    ...flow,
    resumed(2),
    abandoned(0, 1),
    abandoned(1, 1),
    started('call', 0, 2),
    started('call', 1, 2),
    resumed(3),
    abandoned(0, 2),
    abandoned(1, 2),
  ];

  it('run in halves after a second crash, and nothing else runs', () => {
    expect(commands(...twice)).toMatchObject([{ type: 'StartBatch', step: 'call', batch: 0, attempt: 3, alone: false }]);
    expect(commands(...twice, started('call', 0, 3))).toEqual([]);
  });

  it('run alone once one batch has the most crashes, and only a crash while alone counts against it', () => {
    const half = [...twice, started('call', 0, 3), resumed(4), abandoned(0, 3)];
    expect(given(...half).steps['call']?.open).toMatchObject({ 0: { crashes: 3, losses: 0 }, 1: { crashes: 2, losses: 0 } });
    expect(commands(...half)).toMatchObject([{ type: 'StartBatch', step: 'call', batch: 0, attempt: 4, alone: true }]);
    expect(given(...half, started('call', 0, 4, true), resumed(5), abandoned(0, 4)).steps['call']?.open).toMatchObject({
      0: { losses: 1 },
      1: { losses: 0 },
    });
  });

  it.each([1, 2, 3, 7, 64, 200, 1000])(
    'among %i open batches, one that kills its driver runs alone after at most 2 + log2 crashes',
    (count) => {
      for (const poison of new Set([0, Math.floor(count / 3), count - 1])) {
        const { crashes, rounds } = found(count, poison);
        expect(crashes).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(count)));
        expect(rounds).toBeLessThanOrEqual(3 + Math.ceil(Math.log2(count)));
      }
    },
  );

  it.each([1, 2, 200])('%i innocent batches are cleared in log2 rounds after two crashes', (count) => {
    expect(found(count, null)).toMatchObject({ crashes: 2, rounds: 3 + Math.floor(Math.log2(count)) });
  });

  const thrice = [
    ...flow.slice(0, -1),
    resumed(2),
    abandoned(0, 1),
    ...[2, 3, 4].flatMap((attempt) => [started('call', 0, attempt, true), resumed(attempt + 1), abandoned(0, attempt)]),
  ];

  it('pause the run after the third', () => {
    expect(commands(...thrice)).toMatchObject([{ type: 'PauseRun', reason: 'poison', step: 'call', batch: 0, losses: 3 }]);
  });

  it('are tried once more when an operator resumes the run, and then pause it again', () => {
    const again = [...thrice, paused, resumed(9)];
    expect(commands(...again)).toMatchObject([{ type: 'StartBatch', step: 'call', batch: 0, attempt: 5, alone: true }]);
    expect(commands(...again, started('call', 0, 5, true), resumed(10), abandoned(0, 5))).toMatchObject([{ type: 'PauseRun' }]);
  });

  it('can be skipped, and the run continues without them', () => {
    const skipped: NewEvent = {
      type: 'BatchFailed',
      pass: 1,
      step: 'call',
      batch: 0,
      attempt: 5,
      data: {
        error: { code: 'skipped', name: '', message: '', stack: '' },
        done: [],
        rows: 0,
        rejected: none,
        pending: 2,
        retryInMs: null,
        failsStep: false,
        counted: false,
        elapsedMs: 0,
        usage: [],
        calls: 0,
        checkpoints: 0,
      },
    };
    const state = given(...thrice, paused, resumed(9), skipped);
    expect(state.steps['call']).toMatchObject({ settled: 1, lost: 1, failure: null, open: {} });
    const starts = decide(state, 1_000_000).commands.flatMap((command) =>
      command.type === 'StartBatch' ? [[command.step, command.batch]] : [],
    );
    expect(starts).toEqual([
      ['source', 2],
      ['call', 1],
    ]);
  });
});

describe('the state of a run that is over', () => {
  it.each(['succeeded', 'partial', 'failed'] as const)('(%s) calls for nothing, and no event but a new pass changes it', (outcome) => {
    const over = [...flow, { type: 'RunFinished', data: { outcome } } as NewEvent];
    expect(commands(...over)).toEqual([]);
    expect(given(...over, resumed(5), paused, started('call', 1, 2), abandoned(1, 1)).status).toBe(outcome);
  });
});

describe('a backoff', () => {
  it('ends by the database’s clock only', () => {
    const failed: NewEvent = {
      type: 'BatchFailed',
      pass: 1,
      step: 'call',
      batch: 0,
      attempt: 1,
      data: {
        error: { code: 'x', name: '', message: '', stack: '' },
        done: [],
        rows: 0,
        rejected: none,
        pending: 2,
        retryInMs: 10,
        failsStep: false,
        counted: true,
        elapsedMs: 0,
        usage: [],
        calls: 0,
        checkpoints: 0,
      },
    };
    const last: NewEvent = {
      ...read(0),
      data: { ...(read(0) as { data: object }).data, source: { read: 2, last: true, mark: null, offset: 0 } },
    } as NewEvent;
    const events = [
      begin,
      started('source', 0),
      last,
      { type: 'StepFinished', pass: 1, step: 'source', data: {} } as NewEvent,
      started('call', 0),
      failed,
    ];
    const state = given(...events);
    const due = events.length - 1 + 10_000;
    expect(decide(state, due - 1)).toMatchObject({ wakeAt: due });
    expect(decide(state, due).commands).toMatchObject([{ type: 'StartBatch', step: 'call', batch: 0, attempt: 2, failures: 1 }]);
  });
});
