import { describe, expect, it } from 'vitest';
import { graph } from '../../../projections/index.ts';
import type { NewEvent } from '../../../schema/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { takeoverEvents, type Takeover } from '../../../src/scheduler/takeover-events.ts';
import { actor } from '../../fixtures/actor.ts';
import { batchFailed, batchStarted, folded, manifestStep, runStarted, stepStarted } from '../../fixtures/events.ts';

const started = [runStarted(manifestStep('source'), manifestStep('call', ['source'])), stepStarted('source')];
const head = { position: 9, hash: 'h', epoch: 3 } as Takeover['head'];
const loaded = { modules: [] } as unknown as NonNullable<Takeover['loaded']>;

const takeover = (events: readonly NewEvent[], given: Partial<Takeover> = {}): Takeover => ({
  before: folded(graph, ...started, ...events),
  head,
  last: { actor: null, loaded: null },
  actor,
  program: { distilog: '0.0.0', node: '24.0.0' },
  seize: false,
  acceptedChanges: [],
  definition: null,
  concurrency: {},
  skip: [],
  ...given,
});

describe('takeover events', () => {
  it('resume the run under the next epoch, and name the previous driver', () => {
    const other = { ...actor, pid: 77 };
    expect(takeoverEvents(takeover([], { last: { actor: other, loaded: null }, concurrency: { call: 2 } }))).toMatchObject([
      {
        type: 'RunResumed',
        chunks: [],
        data: { reason: 'resumed', epoch: 4, actor, from: other, positionSeen: 9, concurrency: { call: 2 } },
      },
    ]);
  });

  it('say that the run was seized', () => {
    expect(takeoverEvents(takeover([], { seize: true }))).toMatchObject([{ data: { reason: 'taken-over' } }]);
  });

  it('refer to a changed definition', () => {
    const definition = { sha256: 'abc', bytes: new Uint8Array() };
    expect(takeoverEvents(takeover([], { definition }))).toMatchObject([{ chunks: ['abc'] }]);
  });

  it.each([
    ['nothing was loaded', null, null, false],
    ['the log has the same code', loaded, loaded, false],
    ['the log has no code', loaded, null, true],
    ['the log has other code', loaded, { modules: ['other'] } as unknown as typeof loaded, true],
  ] as const)('record loaded code only where the log lacks it: %s', (_title, now, last, isRecorded) => {
    const [resumed] = takeoverEvents(takeover([], { loaded: now, last: { actor: null, loaded: last } }));
    expect('loaded' in (resumed as NewEvent<'RunResumed'>).data).toBe(isRecorded);
  });

  it('abandon attempts that run, not batches that wait for a retry', () => {
    const events = [batchStarted('source', 0), batchStarted('source', 1), batchFailed('source', 1, { retryInMs: 10 })];
    expect(takeoverEvents(takeover(events)).slice(1)).toEqual([
      { type: 'BatchAbandoned', pass: 1, step: 'source', batch: 0, attempt: 1, data: { epoch: 3 } },
    ]);
  });

  it('skip a batch as an attempt that is never made', () => {
    const events = [batchStarted('source', 0)];
    expect(takeoverEvents(takeover(events, { skip: [{ step: 'source', batch: 0 }] })).at(-1)).toMatchObject({
      type: 'BatchFailed',
      step: 'source',
      batch: 0,
      attempt: 2,
      data: { error: { code: 'skipped' }, retryInMs: null, failsStep: false, counted: false },
    });
  });

  it.each([
    ['call', 0, 'Step call has no open batch.'],
    ['source', 7, 'Open batches of source: 0.'],
  ])('refuse to skip a batch that is not open: %s/%i', (step, batch, hint) => {
    const skipping = () => takeoverEvents(takeover([batchStarted('source', 0)], { skip: [{ step, batch }] }));
    expect(skipping).toThrow(hint);
    try {
      skipping();
    } catch (error) {
      expect(codeOf(error)).toBe('not-open');
    }
  });
});
