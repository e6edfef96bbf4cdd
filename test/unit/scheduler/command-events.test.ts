import { describe, expect, it } from 'vitest';
import type { Span } from '../../../schema/index.ts';
import { commandEvent, type EventFacts } from '../../../src/scheduler/command-events.ts';
import type { Command, StartBatch } from '../../../src/scheduler/commands.ts';
import { actor } from '../../fixtures/actor.ts';

const facts: EventFacts = { pass: 2, actor, worker: 'w', source: null, sourceRows: null, retried: [] };
const span = (step: string): Span => ({ step, pass: 2, from: [0, 0], to: [1, 0] });
const startBatch: StartBatch = {
  type: 'StartBatch',
  step: 'call',
  batch: 4,
  attempt: 3,
  failures: 1,
  inputs: [span('source')],
  retriesRows: false,
  rows: 10,
  offset: 40,
  alone: true,
};

describe('the event of a command', () => {
  it.each<readonly [string, Command, Partial<EventFacts>, object]>([
    [
      'a step that is no source starts without facts',
      { type: 'StartStep', step: 'call' },
      {},
      { type: 'StepStarted', pass: 2, step: 'call', data: { count: null, origin: null } },
    ],
    [
      'a source starts with its facts',
      { type: 'StartStep', step: 'source' },
      { source: { count: 30, origin: { file: 'rows' } } },
      { type: 'StepStarted', data: { count: 30, origin: { file: 'rows' } } },
    ],
    [
      'a batch starts with the rows of its command',
      startBatch,
      {},
      {
        type: 'BatchStarted',
        pass: 2,
        step: 'call',
        batch: 4,
        attempt: 3,
        data: { inputs: [span('source')], offset: 40, rows: 10, alone: true, worker: 'w' },
      },
    ],
    ["a source's batch starts with the items that it reads at most", startBatch, { sourceRows: 500 }, { data: { rows: 500 } }],
    [
      'retried rows come before the input of this pass',
      startBatch,
      { retried: [span('other')] },
      { data: { inputs: [span('other'), span('source')] } },
    ],
    ['a step finishes', { type: 'FinishStep', step: 'call' }, {}, { type: 'StepFinished', pass: 2, step: 'call', data: {} }],
    [
      'a step fails',
      { type: 'FailStep', step: 'call', code: 'timeout', message: 'too slow' },
      {},
      {
        type: 'StepFailed',
        pass: 2,
        step: 'call',
        data: { error: { code: 'timeout', name: 'StepFailed', message: 'too slow', stack: '' } },
      },
    ],
    [
      'a batch that killed its driver pauses the run',
      { type: 'PauseRun', reason: 'poison', step: 'call', batch: 4, losses: 3 },
      {},
      { type: 'RunPaused', data: { reason: 'poison', step: 'call', actor, message: expect.stringContaining('resume --skip call/4') } },
    ],
    ['a run finishes', { type: 'FinishRun', outcome: 'partial' }, {}, { type: 'RunFinished', data: { outcome: 'partial' } }],
  ])('%s', (_title, command, given, event) => {
    expect(commandEvent(command, { ...facts, ...given })).toMatchObject(event);
  });
});
