// Runs from start to rest, with a scripted worker.
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../src/kit/clock.ts';
import { codeOf, Fault, hasCode } from '../../../src/kit/fault.ts';
import { parseInstant } from '../../../src/kit/instant.ts';
import { pause } from '../../../src/kit/pause.ts';
import {
  appendSideEvent,
  memoryStore,
  sideLogId,
  snapshotKey,
  verify,
  type AppendRefusal,
  type DriverAppendRequest,
  type DriverSession,
  type Foldable,
  type MemoryStore,
} from '../../../src/log/index.ts';
import { errors, graph, progress, timeline, usage } from '../../../projections/index.ts';
import { documentChunk } from '../../../src/rows/index.ts';
import {
  cancelRun,
  retryRun,
  resumeRun,
  startRun,
  type BatchEnd,
  type BatchTask,
  type DriveContext,
  type DrivenRun,
  type RetryPass,
  type ReopenOptions,
  type ResumeOptions,
} from '../../../src/scheduler/index.ts';
import type { NewEvent, RecordedEvent } from '../../../schema/index.ts';
import { actor } from '../../fixtures/actor.ts';
import { batchFailed, batchSucceeded, failure, manifestStep } from '../../fixtures/events.ts';

const steps = [manifestStep('source'), manifestStep('call', ['source']), manifestStep('leaf', ['call'])];
const runId = 'numbers-7k2m4q';
const bob = { user: 'bob', host: 'laptop', pid: 2 };
const spent = {
  model: 'oracle',
  calls: 1,
  inputTokens: 3,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  costUsd: 0,
  thrownAway: { calls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 },
};

type Work = (task: BatchTask, abort: AbortSignal) => BatchEnd | Promise<BatchEnd>;

/** A source of three batches of ten items. All other batches return their input. */
const plainly: Work = ({ step, pass, batch, attempt, rows, offset, inputs }) => {
  const source = step === 'source' ? { source: { read: 10, last: offset >= 20, mark: null, offset } } : {};
  const count = step === 'source' ? 10 : rows;
  return { event: batchSucceeded(step, batch, { pass, attempt, inputs, rowsIn: count, rows: count, ...source }), pause: null };
};

/** Plainly, but that the first two calls end together, and the second in another way. */
function secondCall(otherwise: (ended: BatchEnd) => BatchEnd): Work {
  const both = Promise.withResolvers<void>();
  const called = new Set<number>();
  return async (task, abort) => {
    const ended = await plainly(task, abort);
    if (task.step !== 'call' || task.batch > 1) return ended;
    if (called.add(task.batch).size === 2) both.resolve();
    await both.promise;
    return task.batch === 0 ? ended : otherwise(ended);
  };
}

interface World {
  readonly store: MemoryStore;
  readonly tasks: BatchTask[];
  readonly stops: string[];
  context(work?: Work, given?: Partial<DriveContext>): DriveContext;
  events(): Promise<readonly RecordedEvent[]>;
  sideEvents(): Promise<readonly RecordedEvent[]>;
}

function world(store = memoryStore()): World {
  const tasks: BatchTask[] = [];
  const stops: string[] = [];
  const read = async (logId: string) => (await Array.fromAsync(store.log.read(logId))).flat();
  return {
    store,
    tasks,
    stops,
    events: () => read(runId),
    sideEvents: () => read(sideLogId(runId)),
    context: (work = plainly, given = {}) => ({
      store,
      actor,
      clock: () => Date.now() * 1000,
      program: { distilog: '0.0.0', node: '24.0.0' },
      findOwedPass: async () => null,
      makeWorker: () => ({
        name: 'a worker',
        load: { unfinished: () => undefined, unfinishedOf: () => 0, heldBytes: () => 0 },
        run: async (task, abort) => {
          tasks.push(task);
          return work(task, abort);
        },
        sourceFacts: async () => ({ count: 30, origin: { file: 'rows' } }),
        retriedRows: async () => [],
        sourceRows: () => 10,
        stop: () => stops.push('stop'),
        onRecorded: () => undefined,
        close: async () => {
          stops.push('close');
        },
      }),
      ...given,
    }),
  };
}

const start = (context: DriveContext, of = steps): Promise<DrivenRun> =>
  startRun(context, {
    runId,
    manifest: { pipeline: 'numbers', steps: of, signature: 's' },
    definition: documentChunk({ the: 'definition' }),
    params: { limit: 3 },
    secrets: ['key'],
    seed: 7,
    file: 'numbers.ts',
  });

const resume = (context: DriveContext, given: Partial<ResumeOptions> = {}): Promise<DrivenRun> =>
  resumeRun(context, { runId, seize: false, acceptedChanges: [], definition: null, concurrency: {}, skip: [], ...given });

const typesOf = (events: readonly RecordedEvent[]) =>
  events.map((event) =>
    [event.type, 'step' in event ? event.step : null, 'batch' in event ? event.batch : null].filter((part) => part !== null).join(' '),
  );

const ofType = <T extends RecordedEvent['type']>(events: readonly RecordedEvent[], type: T) =>
  events.filter((event): event is RecordedEvent<T> & RecordedEvent => event.type === type);

/** Waits until a condition holds. */
const until = (what: () => unknown) => expect.poll(what, { interval: 2 });

/** Returns the same store with changed driver sessions. */
const withSessions = (store: MemoryStore, change: (session: DriverSession) => Partial<DriverSession>): MemoryStore => ({
  ...store,
  log: {
    ...store.log,
    openDriver: async (id, options) => {
      const opened = await store.log.openDriver(id, options);
      return opened.ok ? { ...opened, session: { ...opened.session, ...change(opened.session) } } : opened;
    },
  },
});

/** Returns the same store, which calls `before` before each append of a driver. */
const appendingThrough = (store: MemoryStore, before: (request: DriverAppendRequest) => Promise<void>): MemoryStore =>
  withSessions(store, (session) => ({
    append: async (request) => {
      await before(request);
      return session.append(request);
    },
  }));

/** A promise that a worker's batch awaits until a test resolves it. */
const never = new Promise<BatchEnd>(() => undefined);

/** Starts a run and abandons it, as a process that dies does, with batch 0 of `call` running and batch 1 failed once. */
async function lost(given: World): Promise<DrivenRun> {
  const work: Work = (task) => {
    if (task.step !== 'call') return plainly(task, new AbortController().signal);
    if (task.batch === 1) return { event: batchFailed('call', 1, { retryInMs: 10_000_000 }), pause: null };
    return never;
  };
  const run = await start(given.context(work));
  void run.drive().catch(() => undefined);
  await until(async () => ofType(await given.events(), 'BatchFailed').length).toBe(1);
  await expect
    .poll(async () => ofType(await given.events(), 'BatchStarted').filter(({ step }) => step === 'call').length)
    .toBeGreaterThan(2);
  return run;
}

describe('a run', () => {
  it('begins with its manifest and definition, durable before anything else', async () => {
    const given = world();
    const run = await start(given.context());
    expect(run.state()).toMatchObject({ status: 'running', epoch: 1 });
    const [first] = await given.events();
    expect(first).toMatchObject({
      type: 'RunStarted',
      position: 1,
      chunks: [documentChunk({ the: 'definition' }).sha256],
      data: { params: { limit: 3 }, secrets: ['key'], seed: 7, file: 'numbers.ts', actor, program: { distilog: '0.0.0' } },
    });
    expect(await given.store.log.lastWriter(runId)).toBe('ada@engine:1');
  });

  it('is refused under the name of another run', async () => {
    const given = world();
    await start(given.context());
    await expect(start(given.context())).rejects.toMatchObject({ code: 'already-recorded', message: expect.stringContaining(runId) });
  });

  it('moves to its end, and records each batch before handing it out', async () => {
    const given = world();
    const started: string[] = [];
    const run = await start(
      given.context((task, abort) => {
        started.push(`${task.step} ${task.batch}`);
        return plainly(task, abort);
      }),
    );
    expect(await run.drive()).toEqual({ rest: 'succeeded', position: (await given.store.log.head(runId))?.position });
    const events = await given.events();
    const batches = ['0', '1', '2'].flatMap((batch) => steps.map(({ name }) => `${name} ${batch}`)).sort();
    expect(started.toSorted()).toEqual(batches);
    const types = typesOf(events);
    for (const batch of batches) expect(types.indexOf(`BatchStarted ${batch}`)).toBeLessThan(types.indexOf(`BatchSucceeded ${batch}`));
    expect(types.at(-1)).toBe('RunFinished');
    expect(types.filter((type) => type.startsWith('StepFinished'))).toEqual([
      'StepFinished source',
      'StepFinished call',
      'StepFinished leaf',
    ]);
    expect(await verify(given.store, runId)).toMatchObject({ ok: true });
    expect(await given.store.log.holder(runId)).toBeNull();
    expect(given.stops).toEqual(['close']);
  });

  it('records the end of a batch together with the events that it calls for', async () => {
    const given = world();
    const { position } = await (await start(given.context())).drive();
    const commits = (await Array.fromAsync(given.store.log.commits(runId, { from: 1, to: position }))).flat();
    const types = typesOf(await given.events());
    const commitOf = (type: string) => commits.find(({ first, last }) => first <= types.indexOf(type) + 1 && types.indexOf(type) < last);
    expect(types).toContain('BatchSucceeded source 0');
    for (const next of ['BatchStarted source 1', 'BatchStarted call 0']) expect(commitOf(next)).toBe(commitOf('BatchSucceeded source 0'));
  });

  it('records the end of a batch although another end of the same append is refused', async () => {
    const given = world();
    const run = await start(given.context(secondCall(({ event, pause }) => ({ event: { ...event, chunks: ['f'.repeat(64)] }, pause }))));
    expect(await run.drive().then(() => 'driven', codeOf)).toBe('unknown-chunk');
    const types = typesOf(await given.events());
    expect(types).toContain('BatchSucceeded call 0');
    expect(types).not.toContain('BatchSucceeded call 1');
  });

  it('comes to rest only after batches whose start was in flight when it was stopped', async () => {
    const given = world();
    const held = Promise.withResolvers<void>();
    let sent: readonly string[] = [];
    const store = appendingThrough(given.store, async ({ events }) => {
      sent = events.map(({ type, step, batch }) => `${type} ${step} ${batch}`);
      if (sent.includes('BatchStarted source 0')) await held.promise;
    });
    const run = await start({ ...given.context(), store });
    const driven = run.drive();
    await until(() => sent).toContain('BatchStarted source 0');
    run.stop({ kind: 'pause', reason: 'asked', message: 'for a while', step: null, actor });
    await pause(5);
    held.resolve();
    expect((await driven).rest).toBe('paused');
    const events = await given.events();
    expect(events.at(-1)?.type).toBe('RunPaused');
    expect(ofType(events, 'BatchSucceeded')).toHaveLength(ofType(events, 'BatchStarted').length);
  });

  it('counts the delay before the next attempt from the record of the failure', async () => {
    const given = world();
    const store = appendingThrough(given.store, async ({ events }) => {
      if (events.some(({ type }) => type === 'BatchFailed')) await pause(30);
    });
    const run = await start({
      ...given.context((task, abort) =>
        task.step === 'call' && task.batch === 0 && task.attempt === 1
          ? { event: batchFailed('call', 0, { retryInMs: 10 }), pause: null }
          : plainly(task, abort),
      ),
      store,
    });
    await run.drive();
    const [failed] = ofType(await given.events(), 'BatchFailed');
    const again = ofType(await given.events(), 'BatchStarted').find(({ attempt }) => attempt === 2);
    const waited = parseInstant(again?.recordedAt ?? '') - parseInstant(failed?.recordedAt ?? '');
    expect(waited).toBeGreaterThanOrEqual(10_000);
  });

  it('ends if the facts for its next event cannot be read', async () => {
    const given = world();
    const context = given.context();
    const makeWorker: DriveContext['makeWorker'] = (of) => ({
      ...context.makeWorker(of),
      sourceFacts: () => Promise.reject(new Error('no such file')),
    });
    await expect((await start({ ...context, makeWorker })).drive()).rejects.toThrow('no such file');
  });

  it('records the input of each attempt', async () => {
    const given = world();
    await (await start(given.context())).drive();
    const events = await given.events();
    expect(ofType(events, 'StepStarted').map(({ step, data }) => [step, data])).toEqual([
      ['source', { count: 30, origin: { file: 'rows' } }],
      ['call', { count: null, origin: null }],
      ['leaf', { count: null, origin: null }],
    ]);
    const started = ofType(events, 'BatchStarted');
    expect(started.find(({ step, batch }) => step === 'source' && batch === 1)).toMatchObject({
      pass: 1,
      attempt: 1,
      data: { inputs: [], offset: 10, rows: 10, worker: 'a worker', alone: false },
    });
    const inputs = [{ step: 'source', pass: 1, from: [1, 0], to: [1, 10] }];
    expect(started.find(({ step, batch }) => step === 'call' && batch === 1)?.data).toMatchObject({ inputs, rows: 10 });
    expect(given.tasks.find(({ step, batch }) => step === 'call' && batch === 1)).toMatchObject({
      pass: 1,
      attempt: 1,
      inputs,
      rows: 10,
      origin: null,
    });
    expect(given.tasks.find(({ step }) => step === 'source')).toMatchObject({ origin: { file: 'rows' }, offset: 0 });
  });

  it('passes every event to a listener, in order', async () => {
    const given = world();
    const seen: number[] = [];
    const run = await start(given.context(plainly, { onRecorded: (events) => seen.push(...events.map(({ position }) => position)) }));
    const { position } = await run.drive();
    expect(seen).toEqual(Array.from({ length: position - 1 }, (_, index) => index + 2));
  });

  it('retries a batch when it is due, with the number of its failures', async () => {
    const given = world();
    const run = await start(
      given.context((task, abort) =>
        task.step === 'call' && task.attempt < 3
          ? { event: batchFailed('call', task.batch, { attempt: task.attempt, retryInMs: 20 }), pause: null }
          : plainly(task, abort),
      ),
    );
    expect((await run.drive()).rest).toBe('succeeded');
    const [failed, again] = [
      ofType(await given.events(), 'BatchFailed')[0],
      given.tasks.find(({ step, attempt }) => step === 'call' && attempt === 2),
    ];
    expect(again).toMatchObject({ failures: 1 });
    expect(given.tasks.filter(({ step, attempt }) => step === 'call' && attempt === 3)).toHaveLength(3);
    expect(failed).toMatchObject({ attempt: 1 });
  });

  it('fails a step whose batch was given up, with the reason', async () => {
    const given = world();
    const run = await start(
      given.context((task, abort) =>
        task.step === 'call' && task.batch === 1
          ? { event: batchFailed('call', 1, { retryInMs: null, failsStep: true, error: failure('broken') }), pause: null }
          : plainly(task, abort),
      ),
    );
    expect((await run.drive()).rest).toBe('failed');
    expect(ofType(await given.events(), 'StepFailed')).toMatchObject([
      { step: 'call', data: { error: { code: 'broken', name: 'StepFailed', message: 'broken happened', stack: '' } } },
    ]);
  });

  it('aborts attempts that no longer count', async () => {
    const given = world();
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step !== 'call') return plainly(task, abort);
        if (task.batch === 0) {
          // Long enough for the later batches to start.
          await until(() => given.tasks.filter(({ step }) => step === 'call').length).toBe(2);
          return { event: batchFailed('call', 0, { retryInMs: null, failsStep: true }), pause: null };
        }
        await new Promise((resolve) => abort.addEventListener('abort', resolve));
        await pause(20);
        return { event: batchFailed('call', task.batch, { retryInMs: 0, counted: false }), pause: null };
      }),
    );
    expect((await run.drive()).rest).toBe('failed');
    // The run is over once no attempt runs any more, not even one that no longer counts.
    expect(typesOf(await given.events()).slice(-2)).toEqual(['BatchFailed call 1', 'RunFinished']);
  });

  it('waits by the database’s clock, even if its own is an hour behind', async () => {
    const given = world();
    const work: Work = (task, abort) =>
      task.step === 'call' && task.attempt === 1
        ? { event: batchFailed('call', task.batch, { retryInMs: 5 }), pause: null }
        : plainly(task, abort);
    const run = await start(given.context(work, { clock: () => (Date.now() - 3_600_000) * 1000 }));
    expect((await run.drive()).rest).toBe('succeeded');
  });

  it('waits for running batches before it ends with an error', async () => {
    const given = world();
    let ended = 0;
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step !== 'call') return plainly(task, abort);
        if (task.batch === 1) throw new Fault('disk-full', 'no room');
        await new Promise((resolve) => abort.addEventListener('abort', resolve));
        await pause(10);
        ended++;
        return { event: batchFailed('call', task.batch, { retryInMs: 0, counted: false }), pause: null };
      }),
    );
    await expect(run.drive()).rejects.toMatchObject({ code: 'disk-full' });
    expect(ended).toBeGreaterThan(0);
  });

  it('ends with an error if an end cannot be folded, and records the other ends', async () => {
    const given = world();
    const unfoldable = ({ event, pause }: BatchEnd) => ({
      event: { ...event, data: { rowsIn: 10 } } as unknown as BatchEnd['event'],
      pause,
    });
    const run = await start(given.context(secondCall(unfoldable)));
    await expect(run.drive()).rejects.toThrow();
    const types = typesOf(await given.events());
    expect(types).toContain('BatchSucceeded call 0');
    expect(types).not.toContain('BatchSucceeded call 1');
    expect(await given.store.log.holder(runId)).toBeNull();
  });

  it('ends with the error of a worker whose store fails', async () => {
    const given = world();
    const run = await start(
      given.context((task, abort) => {
        if (task.step === 'call') throw new Fault('disk-full', 'no room');
        return plainly(task, abort);
      }),
    );
    await expect(run.drive()).rejects.toMatchObject({ code: 'disk-full' });
    expect(await given.store.log.holder(runId)).toBeNull();
    expect(given.stops).toContain('close');
  });
});

describe('a run that is asked to stop', () => {
  const stop = { kind: 'pause', reason: 'asked', message: 'enough', step: null, actor: bob } as const;

  it('waits for running batches, starts no more, and rests', async () => {
    const given = world();
    const run: DrivenRun = await start(
      given.context((task, abort) => {
        if (task.step === 'call') run.stop(stop);
        expect(abort.aborted).toBe(false);
        return plainly(task, abort);
      }),
    );
    expect((await run.drive()).rest).toBe('paused');
    const events = await given.events();
    expect(events.at(-1)).toMatchObject({ type: 'RunPaused', data: { reason: 'asked', message: 'enough', step: null, actor: bob } });
    expect(ofType(events, 'BatchStarted').length).toBe(ofType(events, 'BatchSucceeded').length);
    expect(typesOf(events)).not.toContain('BatchStarted leaf 0');
    expect(given.stops[0]).toBe('stop');
  });

  it('follows the first request', async () => {
    const given = world();
    const run = await start(given.context());
    run.stop(stop);
    run.stop({ ...stop, message: 'again' });
    expect((await run.drive()).rest).toBe('paused');
    expect((await given.events()).at(-1)).toMatchObject({ data: { message: 'enough' } });
    expect(given.tasks).toEqual([]);
  });

  it('finishes if nothing is left to do', async () => {
    for (const failsStep of [false, true]) {
      const given = world();
      const run: DrivenRun = await start(
        given.context(async (task, abort) => {
          if (task.step !== 'leaf' || task.batch < 2) return plainly(task, abort);
          await until(async () => ofType(await given.events(), 'BatchSucceeded').length).toBe(8);
          run.stop(stop);
          return failsStep ? { event: batchFailed('leaf', 2, { retryInMs: null, failsStep }), pause: null } : plainly(task, abort);
        }),
      );
      expect((await run.drive()).rest).toBe(failsStep ? 'failed' : 'succeeded');
    }
  });

  it('is cancelled without waiting for running batches', async () => {
    const given = world();
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step !== 'call') return plainly(task, abort);
        run.stop({ ...stop, kind: 'cancel', message: 'no use' });
        if (!abort.aborted) await new Promise((resolve) => abort.addEventListener('abort', resolve));
        return { event: batchFailed('call', task.batch, { retryInMs: 0, counted: false }), pause: null };
      }),
    );
    expect((await run.drive()).rest).toBe('cancelled');
    expect((await given.events()).at(-1)).toMatchObject({ type: 'RunCancelled', data: { reason: 'asked', message: 'no use', actor: bob } });
  });

  it('pauses for the reason of an attempt, and names the step', async () => {
    const given = world();
    const run = await start(
      given.context((task, abort) =>
        task.step === 'call'
          ? { event: batchFailed('call', task.batch, { retryInMs: 0, counted: false }), pause: { reason: 'auth', message: 'key refused' } }
          : plainly(task, abort),
      ),
    );
    expect((await run.drive()).rest).toBe('paused');
    expect((await given.events()).at(-1)).toMatchObject({
      type: 'RunPaused',
      data: { reason: 'auth', message: 'key refused', step: 'call', actor },
    });
  });

  it.each([
    ['PauseRequested', 'paused', 'RunPaused'],
    ['CancelRequested', 'cancelled', 'RunCancelled'],
  ] as const)('reads the request from the side log: %s', async (type, rest, recorded) => {
    const given = world();
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step === 'call') {
          await appendSideEvent(
            given.store.log,
            runId,
            { type, data: { actor: bob, message: 'from the side log' } } as NewEvent,
            'bob@laptop:2',
          );
          await until(() => given.stops.length + Number(abort.aborted)).toBeGreaterThan(0);
        }
        return plainly(task, abort);
      }),
    );
    expect((await run.drive()).rest).toBe(rest);
    expect((await given.events()).at(-1)).toMatchObject({
      type: recorded,
      data: { reason: 'asked', message: 'from the side log', actor: bob },
    });
  });

  it('ignores requests that were made before it was driven', async () => {
    const given = world();
    const run = await start(given.context());
    await appendSideEvent(given.store.log, runId, { type: 'PauseRequested', data: { actor: bob, message: 'old' } }, 'bob@laptop:2');
    expect((await run.drive()).rest).toBe('succeeded');
  });
});

describe('a run that lost its driver', () => {
  it('is taken over: running attempts are abandoned, and the run continues from there', async () => {
    const given = world();
    await lost(given);
    const before = await given.store.log.head(runId);
    const run = await resume(given.context(plainly, { actor: bob }), { seize: true });
    const events = (await given.events()).slice(before?.position ?? 0);
    expect(events[0]).toMatchObject({
      type: 'RunResumed',
      chunks: [],
      data: {
        reason: 'taken-over',
        epoch: 2,
        actor: bob,
        from: actor,
        positionSeen: before?.position,
        acceptedChanges: [],
        concurrency: {},
        program: { distilog: '0.0.0' },
      },
    });
    expect(typesOf(events.slice(1)).toSorted()).toEqual(['BatchAbandoned call 0', 'BatchAbandoned call 2']);
    expect(events[1]).toMatchObject({ pass: 1, attempt: 1, data: { epoch: 1 } });
    expect(run.state().steps['call']?.open).toMatchObject({
      0: { state: 'waiting', crashes: 1 },
      1: { state: 'waiting', crashes: 0 },
    });
    const stopped = { kind: 'pause', reason: 'asked', message: '', step: null, actor } as const;
    setTimeout(() => run.stop(stopped), 50);
    expect((await run.drive()).rest).toBe('paused');
    const later = await resume(given.context());
    expect(ofType(await given.events(), 'RunResumed').at(-1)).toMatchObject({ data: { reason: 'resumed', epoch: 3, from: bob } });
    later.abort();
  });

  it('skips the batches that resume names', async () => {
    const given = world();
    await lost(given);
    const run = await resume(given.context(), { seize: true, skip: [{ step: 'call', batch: 1 }] });
    const events = await given.events();
    expect(events.at(-1)).toMatchObject({
      type: 'BatchFailed',
      pass: 1,
      step: 'call',
      batch: 1,
      attempt: 2,
      data: { error: { code: 'skipped' }, retryInMs: null, failsStep: false, counted: false, pending: 10, rows: 0 },
    });
    expect((await run.drive()).rest).toBe('partial');
    expect(
      ofType(await given.events(), 'BatchSucceeded')
        .filter(({ step }) => step === 'call')
        .map(({ batch }) => batch),
    ).toEqual([0, 2]);
  });

  it.each([
    [{ step: 'call', batch: 7 }, /Batch 7 of step call is not open.* Open batches of call: 0, 1, 2\./],
    [{ step: 'leaf', batch: 0 }, /Step leaf has no open batch\./],
    [{ step: 'gone', batch: 0 }, /Step gone has no open batch\./],
  ])('refuses to skip a batch that is not open: %o', async (skip, message) => {
    const given = world();
    await lost(given);
    const before = await given.store.log.head(runId);
    await expect(resume(given.context(), { seize: true, skip: [skip] })).rejects.toMatchObject({
      code: 'not-open',
      message: expect.stringMatching(message) as string,
    });
    expect(await given.store.log.head(runId)).toEqual(before);
    expect(await given.store.log.holder(runId)).toBeNull();
  });

  it('continues with the accepted changes, and keeps its definition', async () => {
    const given = world();
    await lost(given);
    const definition = documentChunk({ the: 'changed definition' });
    const acceptedChanges = [{ step: 'call', kind: 'changed' as const, parts: ['code'], signature: 'changed' }];
    const run = await resume(given.context(), { seize: true, acceptedChanges, definition, concurrency: { leaf: 9 } });
    expect(ofType(await given.events(), 'RunResumed')[0]).toMatchObject({
      chunks: [definition.sha256],
      data: { acceptedChanges, concurrency: { leaf: 9 } },
    });
    expect(Buffer.from(await given.store.chunks.get(definition.sha256)).toString()).toContain('changed definition');
    expect(run.state().steps['call']?.plan.signature).toBe('changed');
    expect(run.state().steps['leaf']?.plan.concurrency).toBe(9);
    run.abort();
  });

  it('is refused to a second driver, with the name of the first', async () => {
    const clock = manualClock();
    const given = world(memoryStore({ clock }));
    await start(given.context());
    clock.advance(5 * 60_000);
    await expect(resume(given.context(plainly, { clock }))).rejects.toMatchObject({
      code: 'run-is-driven',
      message: expect.stringMatching(/is driven by .*@.*, process \d+, since 2026-01-01T.* \(5 minutes ago\)/) as string,
      details: { run: runId, pid: process.pid },
    });
  });

  it('cannot be resumed if it does not exist or is over', async () => {
    const given = world();
    await expect(resume(given.context())).rejects.toMatchObject({ code: 'unknown-run', details: { run: runId } });
    await (await start(given.context())).drive();
    await expect(resume(given.context())).rejects.toMatchObject({
      code: 'run-is-over',
      message: expect.stringContaining('over: succeeded') as string,
      details: { status: 'succeeded' },
    });
    await expect(cancelRun(given.context(), runId)).rejects.toMatchObject({ code: 'run-is-over' });
    expect(await given.store.log.holder(runId)).toBeNull();
  });

  it('is refused if only a newer version can read its log', async () => {
    const given = world();
    await lost(given);
    const event = given.store.log.logs.get(runId)?.events[1];
    given.store.log.logs.get(runId)?.events.splice(1, 1, { ...event, type: 'StepBlessed' } as never);
    await expect(resume(given.context(), { seize: true })).rejects.toMatchObject({
      code: 'unknown-event',
      message: expect.stringContaining('position 2') as string,
    });
  });

  it('can be cancelled by any process', async () => {
    const given = world();
    const run = await lost(given);
    await expect(cancelRun({ ...given.context(), actor: bob }, runId)).rejects.toMatchObject({ code: 'run-is-driven' });
    run.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor });
    const opened = await given.store.log.openDriver(runId, { seize: true });
    if (opened.ok) await opened.session.close();
    await cancelRun({ ...given.context(), actor: bob }, runId);
    expect((await given.events()).at(-1)).toMatchObject({
      type: 'RunCancelled',
      data: { reason: 'asked', message: 'asked to cancel', actor: bob },
    });
    expect(await given.store.log.holder(runId)).toBeNull();
  });
});

describe('a driver that lost its run', () => {
  it('stops, names the new driver, and records the usage of its calls in the side log', async () => {
    const given = world();
    const held = Promise.withResolvers<void>();
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step !== 'call') return plainly(task, abort);
        await held.promise;
        const { event } = await plainly(task, abort);
        const usage = task.batch === 0 ? [spent] : [];
        return { event: { ...event, data: { ...event.data, usage } } as BatchEnd['event'], pause: null };
      }),
    );
    const driving = run.drive().catch((error: unknown) => error);
    await until(() => given.tasks.filter(({ step }) => step === 'call').length).toBeGreaterThan(1);
    const next = await resume(given.context(plainly, { actor: bob }), { seize: true });
    held.resolve();
    const error = await driving;
    expect(codeOf(error)).toBe('fenced');
    expect(hasCode((error as Error).cause, 'fenced')).toBe(true);
    expect(error).toMatchObject({ message: expect.stringContaining('was taken over by bob@laptop:2') as string, details: { run: runId } });
    expect(await given.sideEvents()).toMatchObject([
      { type: 'LateResult', step: 'call', batch: 0, attempt: 1, data: { actor, epoch: 1, rows: 10, usage: [spent] } },
    ]);
    expect((await next.drive()).rest).toBe('succeeded');
  });
});

describe('the parts of a run', () => {
  it('pause it for a batch that crashes its driver three times while it runs alone', async () => {
    const given = world();
    const dying: Work = (task, abort) => (task.step === 'call' ? never : plainly(task, abort));
    void (await start(given.context(dying))).drive().catch(() => undefined);
    // The source has ended, and only batches of the step that crashes its driver are running.
    await until(async () => ofType(await given.events(), 'StepFinished').length).toBe(1);
    await until(async () => ofType(await given.events(), 'BatchStarted').filter(({ step }) => step === 'call').length).toBeGreaterThan(0);
    // Two batches are open. They run together after a first crash, one of them after a second, and alone from then on.
    for (const [starts, alone] of [
      [2, 0],
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
    ]) {
      const before = ofType(await given.events(), 'BatchStarted').length;
      void (await resume(given.context(dying), { seize: true })).drive().catch(() => undefined);
      await until(async () => ofType(await given.events(), 'BatchStarted').length - before).toBe(starts);
      expect(ofType(await given.events(), 'BatchStarted').filter(({ data }) => data.alone)).toHaveLength(alone ?? 0);
    }
    const run = await resume(given.context(plainly), { seize: true });
    expect((await run.drive()).rest).toBe('paused');
    expect((await given.events()).at(-1)).toMatchObject({
      type: 'RunPaused',
      data: {
        reason: 'poison',
        step: 'call',
        actor,
        message:
          'batch 0 of step call crashed its driver 3 times while nothing else ran; ' +
          'resume tries it once more, resume --skip call/0 skips it',
      },
    });
  });

  it('pass every event to the worker, and accept its journal and its wish to pause', async () => {
    const given = world();
    const received: string[] = [];
    const concurrencies: unknown[] = [];
    const base = given.context();
    const run = await start({
      ...base,
      makeWorker: ({ driver, concurrency, ...made }) => {
        concurrencies.push(concurrency);
        const worker = base.makeWorker({ driver, concurrency, ...made });
        return {
          ...worker,
          onRecorded: (events) => received.push(...typesOf(events)),
          run: async (task, abort) => {
            if (task.step !== 'call' || task.batch !== 1) return worker.run(task, abort);
            const { pass, step, batch, attempt } = task;
            const rejected = { count: 0, codes: {}, rows: [], inChunk: false };
            const data = { done: [[0, 1] as const], rows: 1, rejected, usage: [], calls: 0, checkpoints: 0 };
            await driver.recordProgress({ type: 'BatchProgressed', pass, step, batch, attempt, data });
            driver.wishPause(step, { reason: 'auth', message: 'key refused' });
            return worker.run(task, abort);
          },
        };
      },
    });
    expect((await run.drive()).rest).toBe('paused');
    const events = await given.events();
    expect(received).toEqual(typesOf(events).slice(1));
    expect(received).toContain('BatchProgressed call 1');
    expect(events.at(-1)).toMatchObject({ type: 'RunPaused', data: { reason: 'auth', message: 'key refused', step: 'call', actor } });
    expect(concurrencies).toEqual([Object.fromEntries(steps.map(({ name, options }) => [name, options.concurrency]))]);
  });

  it('end calls in flight at once on abort', async () => {
    const given = world();
    const run = await start(
      given.context(async (task, abort) => {
        if (task.step !== 'call') return plainly(task, abort);
        run.stop({ kind: 'pause', reason: 'asked', message: 'enough', step: null, actor });
        run.abort();
        if (!abort.aborted) await new Promise((resolve) => abort.addEventListener('abort', resolve));
        return { event: batchFailed('call', task.batch, { retryInMs: 0, counted: false }), pause: null };
      }),
    );
    expect((await run.drive()).rest).toBe('paused');
  });

  it('store snapshots of every fold', async () => {
    const given = world();
    const long: Work = (task, abort) => {
      const end = plainly(task, abort);
      if (task.step !== 'source' || end instanceof Promise || end.event.type !== 'BatchSucceeded') return end;
      return {
        ...end,
        event: {
          ...end.event,
          data: { ...end.event.data, source: { read: 10, last: task.offset >= 3_000, mark: null, offset: task.offset } },
        },
      };
    };
    const { position } = await (await start(given.context(long))).drive();
    expect(position).toBeGreaterThan(1_000);
    for (const fold of [graph, progress, errors, usage, timeline]) {
      const stored = await Array.fromAsync(given.store.snapshots.stored(snapshotKey(fold as Foldable<unknown>, runId)));
      expect(stored.flat().length).toBeGreaterThan(0);
    }
    // No event follows the end, and one event in five hundred names the snapshots.
    const all = (await Array.fromAsync(given.store.log.read(runId))).flat();
    expect(all.at(-1)).toMatchObject({ type: 'RunFinished', position });
    const names = all.filter(({ type }) => type === 'SnapshotsTaken').length;
    expect(names).toBeGreaterThan(0);
    expect(names).toBeLessThanOrEqual(position / 500);
  });
});

describe('a new pass', () => {
  const reopening: RetryPass = {
    steps: ['call'],
    codes: null,
    rejected: [{ step: 'call', code: 'unlucky', rows: 1 }],
    until: {},
    again: {},
    pages: [],
    chunks: [],
  };
  const reopen = (context: DriveContext, given: Partial<ReopenOptions> = {}) =>
    retryRun(context, { runId, acceptedChanges: [], definition: null, concurrency: {}, ...given }, async () => reopening);
  const types = async (given: World) => (await given.events()).map(({ type }) => type);

  it('begins with one event if nothing has changed', async () => {
    const given = world();
    const { position } = await (await start(given.context())).drive();
    await reopen(given.context(plainly, { actor: bob }));
    expect((await types(given)).slice(position)).toEqual(['RunReopened']);
    expect((await given.events()).at(-1)).toMatchObject({ data: { pass: 2, epoch: 2, actor: bob, steps: ['call'] } });
  });

  it.each([
    { concurrency: { call: 9 } },
    { acceptedChanges: [{ step: 'call', kind: 'changed', parts: ['code'], signature: 's2' }] satisfies ReopenOptions['acceptedChanges'] },
  ])('tells of what has changed, and from whom it comes', async (changed) => {
    const given = world();
    const { position } = await (await start(given.context())).drive();
    await reopen(given.context(plainly, { actor: bob }), changed);
    expect((await types(given)).slice(position)).toEqual(['RunReopened', 'RunResumed']);
    expect((await given.events()).at(-1)).toMatchObject({ data: { ...changed, from: actor, actor: bob, reason: 'resumed' } });
  });

  /** Returns the same store, which refuses one takeover for each of the codes. */
  const refusing = (store: MemoryStore, codes: AppendRefusal['code'][]): MemoryStore =>
    withSessions(store, (session) => ({
      takeOver: async (request) => {
        const code = codes.shift();
        return code === undefined ? session.takeOver(request) : { ok: false, code, message: 'not now', epoch: null };
      },
    }));

  it.each(['history-diverged', 'fenced'] as const)('is computed again if another process appended meanwhile: %s', async (code) => {
    const given = world();
    await (await start(given.context())).drive();
    const codes = [code];
    await reopen({ ...given.context(), store: refusing(given.store, codes) });
    expect(codes).toEqual([]);
    expect((await types(given)).at(-1)).toBe('RunReopened');
  });

  it('is not begun if the store refuses it', async () => {
    const given = world();
    await (await start(given.context())).drive();
    await expect(reopen({ ...given.context(), store: refusing(given.store, ['unknown-chunk']) })).rejects.toMatchObject({
      code: 'unknown-chunk',
      message: expect.stringContaining('not now') as string,
    });
    expect(await given.store.log.holder(runId)).toBeNull();
  });
});

describe('a start whose store goes away once the run is recorded', () => {
  it('takes its lock when the store is back', async () => {
    const given = world();
    let tries = 0;
    const away: MemoryStore = {
      ...given.store,
      log: {
        ...given.store.log,
        openDriver: async (...asked) => {
          if (++tries <= 2) throw new Fault('store-unreachable', 'away');
          return given.store.log.openDriver(...asked);
        },
      },
    };
    expect((await (await start({ ...given.context(), store: away })).drive()).rest).toBe('succeeded');
    expect(tries).toBe(3);
  });
});

describe('a takeover whose store is away', () => {
  it('is retried, unless the error is permanent', async () => {
    const given = world();
    await lost(given);
    let tries = 0;
    const away: MemoryStore = {
      ...given.store,
      log: {
        ...given.store.log,
        head: async (logId) => {
          if (++tries <= 2) throw new Fault('store-unreachable', 'away');
          return given.store.log.head(logId);
        },
      },
    };
    const run = await resume({ ...given.context(), store: away }, { seize: true });
    expect(tries).toBe(3);
    run.abort();
    const broken = { ...away, log: { ...away.log, head: async () => Promise.reject(new Fault('schema-too-new', 'no')) } };
    await expect(resume({ ...given.context(), store: broken }, { seize: true })).rejects.toMatchObject({ code: 'schema-too-new' });
  });
});
