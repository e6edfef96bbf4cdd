import { expect, it } from 'vitest';
import { leafState } from '../../../src/distiset/index.ts';
import { graph } from '../../../projections/index.ts';
import type { NewEvent } from '../../../schema/index.ts';
import {
  batchFailed,
  batchRead,
  batchStarted,
  batchSucceeded,
  cancelled,
  folded,
  manifestStep,
  noneRejected,
  runStarted,
  stepFailed,
  stepFinished,
  stepStarted,
} from '../../fixtures/events.ts';

const line = [
  runStarted(manifestStep('source'), manifestStep('call', ['source']), manifestStep('leaf', ['call'])),
  stepStarted('source'),
  batchStarted('source', 0),
  batchRead('source', 0, true),
  stepFinished('source'),
  stepStarted('call'),
  batchStarted('call', 0),
];
const rejected = { ...noneRejected, count: 1, codes: { x: 1 } };
const called = [...line, batchSucceeded('call', 0), stepFinished('call')];
const lossy = [...line, batchSucceeded('call', 0, { rejected }), stepFinished('call')];
const dead = [...line, batchFailed('call', 0, { retryInMs: null, failsStep: true })];
const begun = [stepStarted('leaf'), batchStarted('leaf', 0)];
const done = [...begun, batchSucceeded('leaf', 0), stepFinished('leaf')];

it.each<[string, string, readonly NewEvent[]]>([
  ['not-started', 'before its first batch', called],
  ['running', 'while it has batches to come', [...called, ...begun]],
  ['running', 'though rows above it are lost', [...lossy, ...begun]],
  ['finished', 'where everything came through', [...called, ...done]],
  ['partial', 'where rows above it were lost', [...lossy, ...done]],
  ['partial', 'where its run was cancelled', [...called, ...begun, cancelled]],
  ['finished', 'though its run was cancelled afterwards', [...called, ...done, cancelled]],
  ['blocked', 'where a step above it failed', [...dead, stepFailed('call')]],
])('a leaf is %s %s', (state, _when, events) => {
  expect(leafState(folded(graph, ...events), 'leaf')).toBe(state);
});

it('a leaf has failed if a batch of its own ended it, and an unknown leaf is not started', () => {
  expect(leafState(folded(graph, ...dead, stepFailed('call')), 'call')).toBe('failed');
  expect(leafState(folded(graph, ...called), 'gone')).toBe('not-started');
});
