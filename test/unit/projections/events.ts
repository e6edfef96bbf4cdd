// Recorded events of a made-up run, with what a test does not care about filled in.
import type { DataOf, ManifestStep, NewEvent, RecordedEvent } from '../../../schema/index.ts';
import { formatInstant } from '../../../src/kit/instant.ts';
import { fold, type Projection } from '../../../projections/index.ts';

export const actor = { user: 'ada', host: 'engine', pid: 1 };
const program = { distilog: '0.0.0', node: '24.0.0' };
export const noneRejected = { count: 0, codes: {}, rows: [], inChunk: false };

/** A step of a manifest. */
export const manifestStep = (
  name: string,
  upstream: readonly string[] = [],
  { cut = upstream.length === 0 ? { kind: 'source', rows: 10 } : { kind: 'aligned' }, ...given }: Partial<ManifestStep> = {},
): ManifestStep => ({
  name,
  operator: upstream.length === 0 ? 'source' : 'map',
  upstream,
  cut,
  options: { batchSize: null, concurrency: 4, timeoutMs: 1_000, attempts: 3, backoffMs: 10, onError: 'reject' },
  adds: [],
  from: [],
  fork: null,
  key: null,
  signature: `signature of ${name}`,
  ...given,
});

export const runStarted = (...steps: readonly ManifestStep[]): NewEvent<'RunStarted'> => ({
  type: 'RunStarted',
  data: {
    manifest: { pipeline: 'numbers', steps, signature: '' },
    params: {},
    secrets: [],
    seed: 7,
    seeds: 'origin',
    file: null,
    program,
    actor,
  },
});
export const resumed = (given: Partial<DataOf<'RunResumed'>> = {}): NewEvent<'RunResumed'> => ({
  type: 'RunResumed',
  data: { reason: 'resumed', epoch: 2, actor, from: null, positionSeen: 0, acceptedChanges: [], concurrency: {}, program, ...given },
});
export const reopened = (given: Partial<DataOf<'RunReopened'>> = {}): NewEvent<'RunReopened'> => ({
  type: 'RunReopened',
  data: { pass: 2, steps: [], codes: null, rejected: [], until: {}, again: {}, epoch: 3, actor, program, ...given },
});
export const paused = (given: Partial<DataOf<'RunPaused'>> = {}): NewEvent<'RunPaused'> => ({
  type: 'RunPaused',
  data: { reason: 'asked', message: 'a pause', step: null, actor, ...given },
});
export const cancelled: NewEvent<'RunCancelled'> = { type: 'RunCancelled', data: { reason: 'asked', message: 'no more', actor } };
export const finished = (outcome: DataOf<'RunFinished'>['outcome'] = 'succeeded'): NewEvent<'RunFinished'> => ({
  type: 'RunFinished',
  data: { outcome },
});

export const stepStarted = (step: string, given: Partial<DataOf<'StepStarted'>> = {}): NewEvent<'StepStarted'> => ({
  type: 'StepStarted',
  pass: 1,
  step,
  data: { count: null, origin: null, ...given },
});
export const stepFinished = (step: string): NewEvent<'StepFinished'> => ({ type: 'StepFinished', pass: 1, step, data: {} });
export const stepFailed = (step: string): NewEvent<'StepFailed'> => ({
  type: 'StepFailed',
  pass: 1,
  step,
  data: { error: failure('dead') },
});

export const failure = (code: string, message = `${code} happened`) => ({ code, name: 'Error', message, stack: '' });

interface Place {
  readonly pass?: number;
  readonly attempt?: number;
}

const placeOf = (step: string, batch: number, { pass = 1, attempt = 1 }: Place) => ({ pass, step, batch, attempt });

export const batchStarted = (
  step: string,
  batch: number,
  { pass, attempt, ...given }: Place & Partial<DataOf<'BatchStarted'>> = {},
): NewEvent<'BatchStarted'> => ({
  type: 'BatchStarted',
  ...placeOf(step, batch, { ...(pass && { pass }), ...(attempt && { attempt }) }),
  data: { inputs: [], offset: 0, rows: 10, worker: 'w', alone: false, ...given },
});
export const batchSucceeded = (
  step: string,
  batch: number,
  { pass, attempt, ...given }: Place & Partial<DataOf<'BatchSucceeded'>> = {},
): NewEvent<'BatchSucceeded'> => ({
  type: 'BatchSucceeded',
  ...placeOf(step, batch, { ...(pass && { pass }), ...(attempt && { attempt }) }),
  data: {
    inputs: [],
    rowsIn: 10,
    rows: 10,
    chunkRows: [],
    bytes: 1,
    rejected: noneRejected,
    elapsedMs: 5,
    usage: [],
    calls: 0,
    source: null,
    undeclared: [],
    missing: [],
    ...given,
  },
});
/** A source's batch of 10 items. */
export const batchRead = (step: string, batch: number, last = false, rows = 10): NewEvent<'BatchSucceeded'> =>
  batchSucceeded(step, batch, { rows, rowsIn: rows, source: { read: rows, last, mark: null, offset: 0 } });
export const batchFailed = (
  step: string,
  batch: number,
  { pass, attempt, ...given }: Place & Partial<DataOf<'BatchFailed'>> = {},
): NewEvent<'BatchFailed'> => ({
  type: 'BatchFailed',
  ...placeOf(step, batch, { ...(pass && { pass }), ...(attempt && { attempt }) }),
  data: {
    error: failure('down'),
    done: [],
    rows: 0,
    rejected: noneRejected,
    pending: 10,
    retryInMs: 0,
    failsStep: false,
    counted: true,
    elapsedMs: 5,
    usage: [],
    calls: 0,
    checkpoints: 0,
    ...given,
  },
});
export const batchProgressed = (
  step: string,
  batch: number,
  given: Partial<DataOf<'BatchProgressed'>> = {},
): NewEvent<'BatchProgressed'> => ({
  type: 'BatchProgressed',
  ...placeOf(step, batch, {}),
  data: { done: [], rows: 0, rejected: noneRejected, usage: [], calls: 0, checkpoints: 0, ...given },
});
export const batchAbandoned = (step: string, batch: number, attempt = 1): NewEvent<'BatchAbandoned'> => ({
  type: 'BatchAbandoned',
  ...placeOf(step, batch, { attempt }),
  data: { epoch: 1 },
});

/** The time of a position: a second after the one before. */
export const timeOf = (position: number): string => formatInstant(position * 1_000_000);

/** Events as a log holds them, a second apart. */
export const recorded = (events: readonly NewEvent[]): readonly RecordedEvent[] =>
  events.map((event, index) => at(timeOf(index + 1), event, index + 1));

/** An event as it is recorded at a time. */
export const at = (recordedAt: string, event: NewEvent, position = 1): RecordedEvent =>
  ({ logId: 'run', chunks: [], ...event, position, recordedAt }) as unknown as RecordedEvent;

/** What events fold to. */
export const folded = <State>(of: Projection<State>, ...events: readonly NewEvent[]): State => fold(of, recorded(events));
