import { describe, expect, it } from 'vitest';
import { graph, type GraphState } from '../../../projections/index.ts';
import type { ManifestStep, NewEvent } from '../../../schema/index.ts';
import {
  batchRead,
  batchStarted,
  batchSucceeded,
  cancelled,
  finished,
  folded,
  manifestStep,
  noneRejected,
  paused,
  reopened,
  runStarted,
  stepFailed,
  stepFinished,
} from '../../fixtures/events.ts';

const rejecting = (count: number) => ({ ...noneRejected, count, codes: { x: count } });

/** Runs four batches through every step to the end. `call` rejects rows of batches 1 and 3. */
function over(steps: readonly ManifestStep[], ends: (name: string) => NewEvent = stepFinished): readonly NewEvent[] {
  const events: NewEvent[] = [runStarted(...steps)];
  for (const { name, upstream, cut } of steps) {
    const batches = cut.kind === 'recut' ? 2 : cut.kind === 'whole' ? 1 : 4;
    for (let batch = 0; batch < batches; batch++) {
      const inputs =
        cut.kind === 'recut' ? [{ step: upstream[0] ?? '', pass: 1, from: [0, 0], to: [batch === 0 ? 1 : 3, 10] } as const] : [];
      events.push(batchStarted(name, batch, { inputs }));
      if (cut.kind === 'source') events.push(batchRead(name, batch, batch === 3));
      else events.push(batchSucceeded(name, batch, name === 'call' && batch % 2 === 1 ? { rows: 8, rejected: rejecting(2) } : {}));
    }
    events.push(ends(name));
  }
  return [...events, finished('partial')];
}

const again = { call: [[1, 2] as const, [3, 2] as const] };
const line = [manifestStep('source'), manifestStep('call', ['source']), manifestStep('leaf', ['call'])];
const after = (steps: readonly ManifestStep[], ...events: readonly NewEvent[]): GraphState => folded(graph, ...over(steps), ...events);

describe('a new pass', () => {
  it('runs, under a new epoch, the steps that the retried rows may reach', () => {
    const state = after(line, reopened({ again, epoch: 4 }));
    expect(state).toMatchObject({ status: 'running', pass: 2, epoch: 4, paused: null });
    expect(Object.entries(state.steps).map(([name, { status }]) => [name, status])).toEqual([
      ['source', 'finished'],
      ['call', 'running'],
      ['leaf', 'running'],
    ]);
    expect(state.steps['source']).toEqual(after(line).steps['source']);
  });

  it('keeps the numbers of batches: those with rows to try again are open, all others are over', () => {
    const state = after(line, reopened({ again }));
    const open = { next: 4, end: 4, settled: 1, over: [[2, 3]], open: {}, skip: 0 };
    expect(state.steps['call']).toMatchObject({ ...open, again: again.call, inboxes: [[]], lost: 0 });
    expect(state.steps['leaf']).toMatchObject({ ...open, again: [], inboxes: [[]] });
    expect(after(line, reopened({ again: { call: [[0, 1]] } })).steps['call']).toMatchObject({ settled: 0, over: [[1, 4]], lost: 3 });
    expect(after(line, reopened({ again: { call: [[3, 2]] } })).steps['call']).toMatchObject({ settled: 3, over: [] });
  });

  it('takes the retried rows as input, and processes them to the end', () => {
    const pass = 2;
    const events = [
      reopened({ again }),
      batchStarted('call', 1, { pass, rows: 2 }),
      batchSucceeded('call', 1, { pass, rows: 1, rejected: rejecting(1) }),
    ];
    const half = after(line, ...events);
    expect(half.steps['call']).toMatchObject({ again: [[3, 2]], settled: 3, over: [], lost: 1 });
    expect(half.steps['leaf']).toMatchObject({ inboxes: [[[1, 1]]], settled: 1 });
    const all = after(line, ...events, batchStarted('call', 3, { pass, rows: 2 }), batchSucceeded('call', 3, { pass, rows: 0 }));
    expect(all.steps['call']).toMatchObject({ again: [], settled: 4 });
    expect(all.steps['leaf']).toMatchObject({ settled: 1, over: [[2, 4]] });
  });

  it('loses only the rows of a batch that is given up: rows of earlier passes stay', () => {
    const state = after(line, reopened({ again }), batchStarted('call', 1, { pass: 2 }), {
      type: 'BatchFailed',
      pass: 2,
      step: 'call',
      batch: 1,
      attempt: 1,
      data: {
        error: { code: 'down', name: '', message: '', stack: '' },
        done: [],
        rows: 0,
        rejected: noneRejected,
        pending: 2,
        retryInMs: null,
        failsStep: true,
        counted: true,
        elapsedMs: 0,
        usage: [],
        calls: 0,
        checkpoints: 0,
      },
    });
    expect(state.steps['call']).toMatchObject({ failure: null, end: 4, settled: 3, lost: 1 });
    expect(state.steps['leaf']).toMatchObject({ blocked: false });
  });

  it('continues the batch numbers of a re-cut step', () => {
    const steps = [...line.slice(0, 2), manifestStep('groups', ['call'], { operator: 'map', cut: { kind: 'recut', rows: 20 } })];
    const pass = 2;
    const state = after(steps, reopened({ again }));
    expect(state.steps['groups']).toMatchObject({ status: 'running', next: 2, end: null, settled: 2, over: [], skip: 0, inboxes: [[]] });
    const own = after(steps, reopened({ again: { groups: [[1, 3]] } }));
    expect(own.steps['call']).toMatchObject({ status: 'finished' });
    expect(own.steps['groups']).toMatchObject({ next: 2, end: 2, settled: 1, over: [], again: [[1, 3]] });
    const taken = after(
      steps,
      reopened({
        again: {
          groups: [
            [0, 1],
            [1, 3],
          ],
        },
      }),
      batchStarted('groups', 0, { pass }),
    );
    expect(taken.steps['groups']).toMatchObject({ again: [[1, 3]] });
  });

  it('takes rows that arrive at a re-cut step which has batches of its own to try again', () => {
    const steps = [...line.slice(0, 2), manifestStep('groups', ['call'], { cut: { kind: 'recut', rows: 2 } })];
    const pass = 2;
    const events = [
      reopened({ again: { call: [[0, 2]], groups: [[1, 3]] } }),
      batchStarted('call', 0, { pass, rows: 2 }),
      batchSucceeded('call', 0, { pass, rows: 2 }),
      batchStarted('groups', 2, { pass, rows: 2, inputs: [{ step: 'call', pass, from: [0, 0], to: [0, 2] }] }),
    ];
    expect(after(steps, ...events).steps['groups']).toMatchObject({ again: [[1, 3]], inboxes: [[]], next: 3 });
  });

  it('does not know the number of batches below a re-cut step', () => {
    const steps = [
      ...line.slice(0, 2),
      manifestStep('groups', ['call'], { cut: { kind: 'recut', rows: 20 } }),
      manifestStep('leaf', ['groups']),
    ];
    expect(after(steps, reopened({ again })).steps['leaf']).toMatchObject({ end: null, next: 2, settled: 2, over: [] });
  });

  it('reaches, below branches, the batches of any of them', () => {
    const steps = [
      manifestStep('source'),
      manifestStep('call', ['source']),
      manifestStep('other', ['source']),
      manifestStep('both', ['call', 'other'], { operator: 'join' }),
    ];
    const state = after(steps, reopened({ again: { other: [[2, 1]], call: [[1, 1]] } }));
    expect(state.steps['both']).toMatchObject({ settled: 1, over: [[3, 4]], inboxes: [[], []] });
    const crossed = after(steps, reopened({ again: { both: [[3, 1]], call: [[1, 1]] } }));
    expect(crossed.steps['both']).toMatchObject({ settled: 1, over: [[2, 3]], again: [[3, 1]] });
    const one = after(steps, reopened({ again: { call: [[1, 1]] } }));
    expect(one.steps['other']).toMatchObject({ status: 'finished' });
    expect(one.steps['both']).toMatchObject({ settled: 1, over: [[2, 4]] });
    const own = after(steps, reopened({ again: { both: [[0, 1]], call: [[3, 1]] } }));
    expect(own.steps['both']).toMatchObject({ settled: 0, over: [[1, 3]], again: [[0, 1]] });
  });

  it('does not change a step that failed', () => {
    const ends = (name: string) => (name === 'call' ? stepFailed(name) : stepFinished(name));
    const state = folded(graph, ...over(line, ends), reopened({ again }));
    expect(state.steps['call']).toMatchObject({ status: 'failed', again: [] });
    expect(state.steps['leaf']).toMatchObject({ status: 'finished' });
  });

  it('starts only when the run is over, and follows the pass before it', () => {
    const events = over(line);
    for (const outcome of ['succeeded', 'partial', 'failed'] as const)
      expect(folded(graph, ...events.slice(0, -1), finished(outcome), reopened({ again }))).toMatchObject({ status: 'running', pass: 2 });
    for (const end of [paused(), cancelled])
      expect(folded(graph, ...events.slice(0, -1), end, reopened({ again }))).toEqual(folded(graph, ...events.slice(0, -1), end));
    expect(folded(graph, ...events.slice(0, -1), reopened({ again }))).toMatchObject({ pass: 1 });
    expect(folded(graph, ...events, reopened({ pass: 3, again }))).toMatchObject({ pass: 1, status: 'partial' });
  });
});
