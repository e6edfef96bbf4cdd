// A small run to append to: its first event, events of batches, and a driver session.
import assert from 'node:assert/strict';
import { batchSucceeded as succeeded } from '../../fixtures/events.ts';
import type { NewEvent } from '../../../schema/index.ts';
import { newId } from '../../../src/kit/ids.ts';
import {
  encodeEvent,
  openAppender,
  runLogId,
  type Appender,
  type AppenderOptions,
  type AppendRequest,
  type EventLog,
} from '../../../src/log/index.ts';

export const runId = 'numbers-7k2m4q';

export const runStarted: NewEvent<'RunStarted'> = {
  type: 'RunStarted',
  data: {
    manifest: {
      pipeline: 'numbers',
      signature: '',
      steps: [
        {
          name: 'all',
          operator: 'source',
          upstream: [],
          cut: { kind: 'source', rows: 10 },
          options: { batchSize: null, concurrency: 1, timeoutMs: 1000, attempts: 3, backoffMs: 10, onError: 'reject' },
          adds: ['n'],
          from: [],
          fork: null,
          key: null,
          signature: '',
        },
      ],
    },
    params: {},
    secrets: [],
    seed: 7,
    seeds: 'origin',
    file: null,
    program: { distilog: '0.0.0', node: '24.0.0' },
    actor: { user: 'ada', host: 'engine', pid: 1 },
  },
};

export const stepStarted = (step = 'all', count: number | null = null): NewEvent<'StepStarted'> => ({
  type: 'StepStarted',
  pass: 1,
  step,
  data: { count, origin: null },
});

export const batchStarted = (batch: number, attempt = 1): NewEvent<'BatchStarted'> => ({
  type: 'BatchStarted',
  pass: 1,
  step: 'all',
  batch,
  attempt,
  data: { inputs: [], offset: batch * 10, rows: 10, worker: 'here', alone: false },
});

export const batchSucceeded = (batch: number, attempt = 1, chunks: readonly string[] = [], elapsedMs = 0): NewEvent<'BatchSucceeded'> => ({
  ...succeeded('all', batch, { attempt, bytes: 100, elapsedMs }),
  chunks,
});

export const batchAbandoned = (batch: number, attempt = 1): NewEvent<'BatchAbandoned'> => ({
  type: 'BatchAbandoned',
  pass: 1,
  step: 'all',
  batch,
  attempt,
  data: { epoch: 1 },
});

/** Returns a request of the driver in the run's first epoch. */
export const requestOf = (events: readonly NewEvent[], changes: Partial<AppendRequest> = {}): AppendRequest => ({
  logId: runLogId(runId),
  epoch: 1,
  appendId: newId(),
  expectedHash: null,
  writer: 'ada@engine:1',
  events: events.map(encodeEvent),
  ...changes,
});

/** Starts the run. */
export async function createRun(log: EventLog): Promise<{ readonly position: number; readonly hash: string }> {
  const created = await log.create({ ...requestOf([runStarted]), epoch: 1 });
  assert(created.ok);
  return { position: created.last, hash: created.hash };
}

/** Starts the run, takes its lock, and opens its appender. */
export async function openRun(log: EventLog, options: Partial<AppenderOptions> = {}): Promise<Appender> {
  const { position, hash } = await createRun(log);
  const opened = await log.openDriver(runId);
  assert(opened.ok);
  return openAppender({
    log,
    runId,
    session: opened.session,
    epoch: 1,
    position,
    expectedHash: hash,
    writer: 'ada@engine:1',
    ...options,
  });
}

/** Returns the items of all pages. */
export const allOf = async <Item>(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> => (await Array.fromAsync(pages)).flat();
