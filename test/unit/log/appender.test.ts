import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../../schema/index.ts';
import { AssertionError } from '../../../src/kit/assert.ts';
import { hasCode } from '../../../src/kit/fault.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import { memoryStore, openAppender, runLogId, type Appender, type DriverSession, type EventLog } from '../../../src/log/index.ts';
import { faultyLog, type AppendFate, type OpenFate } from './faulty-log.ts';
import { allOf, batchStarted, batchSucceeded, openRun, requestOf, runId, stepStarted } from './log-fixture.ts';

// The only timers are the pauses between attempts to reach a store. They are skipped.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Waits for a promise while fake time advances. */
async function inFastTime<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  void promise.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  while (!isDone) await vi.advanceTimersByTimeAsync(1_000);
  return promise;
}

const stored = (log: EventLog): Promise<readonly RecordedEvent[]> => allOf(log.read(runLogId(runId), { from: 2 }));
const commitSizes = async (log: EventLog): Promise<readonly number[]> =>
  (await allOf(log.commits(runLogId(runId), { from: 2, to: 1e9 }))).map(({ first, last }) => last - first + 1);
const codeOfRejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: string }) => error.code ?? error,
  );

describe('an appender', () => {
  it('returns each caller its own recorded events', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const [first, second] = await Promise.all([appender.append([stepStarted(), batchStarted(0)]), appender.append([batchStarted(1)])]);
    expect(first.map(({ position, type }) => [position, type])).toEqual([
      [2, 'StepStarted'],
      [3, 'BatchStarted'],
    ]);
    expect(second).toMatchObject([{ position: 4, type: 'BatchStarted', batch: 1, data: { offset: 10 } }]);
    expect(await stored(log)).toEqual([...first, ...second]);
    expect(appender.position).toBe(4);
  });

  it('answers an append without events at once', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    expect(await appender.append([])).toEqual([]);
    expect(await commitSizes(log)).toEqual([]);
  });

  it('sends all calls that arrive during a flush in the next one', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const flying = appender.append([batchStarted(0)]);
    await Promise.resolve();
    await Promise.all([flying, ...Array.from({ length: 50 }, (_, batch) => appender.append([batchStarted(batch + 1)]))]);
    expect(await commitSizes(log)).toEqual([1, 50]);
  });

  it('never has two flushes in flight', async () => {
    const { log } = memoryStore();
    const inFlight = { now: 0, most: 0 };
    const slow: EventLog = {
      ...log,
      openDriver: async (id) => {
        const opened = await log.openDriver(id);
        if (!opened.ok) return opened;
        const append: typeof opened.session.append = async (request) => {
          inFlight.most = Math.max(inFlight.most, ++inFlight.now);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight.now--;
          return opened.session.append(request);
        };
        return { ok: true, session: { ...opened.session, append } };
      },
    };
    const appender = await openRun(slow);
    const calls: Promise<unknown>[] = [];
    for (let batch = 0; batch < 30; batch++) {
      calls.push(appender.append([batchStarted(batch)]));
      if (batch % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(calls);
    expect(inFlight.most).toBe(1);
  });

  it('flushes at most 500 events at once, and never splits a call', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const call = (from: number, count: number) => appender.append(Array.from({ length: count }, (_, index) => batchStarted(from + index)));
    await Promise.all([call(0, 400), call(1_000, 250), call(2_000, 250), call(3_000, 600)]);
    expect(await commitSizes(log)).toEqual([400, 500, 600]);
  });

  it('flushes at most 1 MiB at once', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const large = (batch: number): NewEvent => ({
      ...batchSucceeded(batch),
      // Three UTF-8 bytes per character: the bound counts bytes.
      data: { ...batchSucceeded(batch).data, undeclared: ['…'.repeat(80_000)], missing: [] },
    });
    await Promise.all(Array.from({ length: 9 }, (_, batch) => appender.append([large(batch)])));
    expect(await commitSizes(log)).toEqual([4, 4, 1]);
  });

  it('reports each flush, in order, before its callers are answered', async () => {
    const { log } = memoryStore();
    const reported: (number | string)[] = [];
    const appender = await openRun(log, { onRecorded: (events) => reported.push(...events.map(({ position }) => position)) });
    const first = appender.append([batchStarted(0)]).then(() => reported.push('first'));
    await Promise.resolve();
    const others = [1, 2].map((batch) => appender.append([batchStarted(batch)]).then(() => reported.push(`other ${batch}`)));
    await Promise.all([first, ...others]);
    expect(reported).toEqual([2, 'first', 3, 4, 'other 1', 'other 2']);
  });

  it.each([
    { waiting: 100, order: ['sent 500', 'sent 100', 'reported 500', 'reported 100'] },
    { waiting: 99, order: ['sent 500', 'reported 500', 'sent 99', 'reported 99'] },
  ])('sends $waiting waiting events before or after it processes recorded ones', async ({ waiting, order }) => {
    const { log } = memoryStore();
    const seen: string[] = [];
    const watched: EventLog = {
      ...log,
      openDriver: async (id) => {
        const opened = await log.openDriver(id);
        if (!opened.ok) return opened;
        const append: DriverSession['append'] = (request) => {
          seen.push(`sent ${request.events.length}`);
          return opened.session.append(request);
        };
        return { ...opened, session: { ...opened.session, append } };
      },
    };
    const appender = await openRun(watched, { onRecorded: (events) => seen.push(`reported ${events.length}`) });
    const call = (from: number, count: number) => appender.append(Array.from({ length: count }, (_, index) => batchStarted(from + index)));
    const calls = [call(0, 500), call(1_000, waiting)];
    await Promise.all(calls);
    expect(seen).toEqual(order);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('accepts a call that comes %i microtasks after it found nothing more to send', async (moments) => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const late = Promise.withResolvers<void>();
    const { setImmediate: inTurn } = globalThis;
    const coming = async () => {
      for (let moment = 0; moment < moments; moment++) await Promise.resolve();
      await appender.append([batchStarted(1)]);
    };
    vi.stubGlobal('setImmediate', (go: () => void) =>
      inTurn(() => {
        vi.unstubAllGlobals();
        go();
        coming().then(late.resolve, late.reject);
      }),
    );
    await appender.append([batchStarted(0)]);
    const patience = new Promise((_, reject) => inTurn(() => inTurn(() => inTurn(() => reject(new Error('it was never sent'))))));
    await Promise.race([late.promise, patience]);
    expect(await stored(log)).toHaveLength(2);
  });

  it('accepts no more after a fold fails on recorded events, not even events already sent', async () => {
    const { log } = memoryStore();
    const bug = new AssertionError('a fold is wrong');
    const appender = await openRun(log, {
      onRecorded: () => {
        throw bug;
      },
    });
    const many = (from: number) => appender.append(Array.from({ length: 400 }, (_, index) => batchStarted(from + index)));
    expect(await Promise.all([many(0), many(1_000), many(2_000)].map(codeOfRejection))).toEqual([bug, bug, bug]);
  });

  it('accepts no more after a fold fails on recorded events, not even queued events', async () => {
    const { log } = memoryStore();
    const bug = new AssertionError('a fold is wrong');
    const appender = await openRun(log, {
      onRecorded: () => {
        throw bug;
      },
    });
    const flying = appender.append([batchStarted(0)]);
    await Promise.resolve();
    const calls = [flying, appender.append([batchStarted(1)])];
    expect(await Promise.all(calls.map(codeOfRejection))).toEqual([bug, bug]);
    await expect(appender.append([batchStarted(2)])).rejects.toBe(bug);
    expect(await appender.ended).toBe(bug);
    expect(await stored(log)).toMatchObject([{ batch: 0 }]);
  });

  it('waits for queued events when it is closed, and accepts no more', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const queued = [0, 1, 2].map((batch) => appender.append([batchStarted(batch)]));
    const closed = appender.close();
    expect(await codeOfRejection(appender.append([batchStarted(3)]))).toBe('appender-closed');
    await closed;
    expect((await Promise.all(queued)).flat()).toHaveLength(3);
    expect(await stored(log)).toHaveLength(3);
    expect(hasCode(await appender.ended, 'appender-closed')).toBe(true);
    expect(await log.holder(runId)).toBeNull();
  });
});

describe('an appender whose events are refused', () => {
  it('fails only the caller at fault', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    await appender.append([batchStarted(0), batchSucceeded(0)]);
    const calls = [
      appender.append([batchStarted(1)]),
      appender.append([batchStarted(2), batchSucceeded(0, 2)]),
      appender.append([batchSucceeded(3, 1, ['f'.repeat(64)])]),
      appender.append([batchStarted(4)]),
    ];
    expect(await Promise.all(calls.map(codeOfRejection))).toEqual(['resolved', 'already-recorded', 'unknown-chunk', 'resolved']);
    expect((await stored(log)).slice(2)).toMatchObject([{ batch: 1 }, { batch: 4 }]);
    expect(await codeOfRejection(appender.append([batchStarted(5)]))).toBe('resolved');
  });

  it('sends each caller’s chunks again with that caller’s events', async () => {
    const { log, chunks } = memoryStore();
    const appender = await openRun(log);
    await appender.append([batchStarted(0), batchSucceeded(0)]);
    const bringing = async (batch: number, attempt: number, text: string) => {
      const bytes = Buffer.from(text);
      const chunk = { sha256: sha256(bytes), bytes };
      return { ...batchSucceeded(batch, attempt, [chunk.sha256]), brings: await chunks.pack([chunk]) };
    };
    const events = [
      await bringing(1, 1, 'shared'),
      await bringing(0, 2, 'shared'),
      await bringing(0, 3, 'refused'),
      await bringing(2, 1, 'other'),
    ];
    const calls = events.map((event) => appender.append([event]));
    expect(await Promise.all(calls.map(codeOfRejection))).toEqual(['resolved', 'already-recorded', 'already-recorded', 'resolved']);
    expect([...chunks.bytes.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual(['shared', 'other']);
  });

  it('rejects an event with the wrong shape before sending it', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const broken = { ...stepStarted(), data: { count: -1, origin: null } };
    const [bad, good] = [appender.append([broken]), appender.append([stepStarted()])];
    await expect(bad).rejects.toBeInstanceOf(AssertionError);
    expect(await good).toMatchObject([{ position: 2 }]);
  });

  it.each([
    ['fenced', (log: EventLog) => takeOver(log)],
    ['history-diverged', (log: EventLog) => appendBehindItsBack(log)],
  ])('ends when it is %s: what is queued and what comes later is refused alike', async (code, disturb) => {
    const { log } = memoryStore();
    const appender = await openRun(zombie(log));
    await disturb(log);
    const calls = [0, 1].map((batch) => appender.append([batchStarted(batch)]));
    expect(await Promise.all(calls.map(codeOfRejection))).toEqual([code, code]);
    expect(await codeOfRejection(appender.append([batchStarted(2)]))).toBe(code);
    expect(hasCode(await appender.ended, code)).toBe(true);
  });
});

describe('an appender whose connection breaks', () => {
  const open = async (
    appends: AppendFate[],
    opens: OpenFate[] = [],
  ): Promise<{ log: ReturnType<typeof faultyLog>; appender: Appender }> => {
    const log = faultyLog(memoryStore().log, { append: () => appends.shift() ?? 'answered', open: () => opens.shift() ?? 'opened' });
    return { log, appender: await openRun(log) };
  };

  it.each(['lost-before', 'lost-after', 'race-lost', 'timed-out'] as const)('stores an append once if its answer is %s', async (fate) => {
    const { log, appender } = await open([fate]);
    expect(await inFastTime(appender.append([batchStarted(0)]))).toMatchObject([{ position: 2, batch: 0 }]);
    expect(await stored(log)).toHaveLength(1);
  });

  it('sends the same bytes under the same id before any other append', async () => {
    const { log, appender } = await open(['lost-after', 'lost-after', 'lost-after']);
    const first = appender.append([batchStarted(0)]);
    await Promise.resolve();
    await inFastTime(Promise.all([first, appender.append([batchStarted(1)])]));
    const [sent, ...others] = log.arrived.map(({ appendId, events }) => [appendId, events[0]?.batch]);
    expect(others.slice(0, 3)).toEqual([sent, sent, sent]);
    expect(log.arrived.map(({ events }) => events[0]?.batch)).toEqual([0, 0, 0, 0, 1]);
  });

  it('waits for an unreachable server, and for its own lock to become free', async () => {
    const { log, appender } = await open(['lost-before'], ['opened', 'unreachable', 'unreachable', 'still-locked', 'still-locked']);
    expect(await inFastTime(appender.append([batchStarted(0)]))).toMatchObject([{ position: 2 }]);
    expect(await stored(log)).toHaveLength(1);
  });

  it('reports an unreachable store after a second, and its return, but no shorter absence', async () => {
    const reported: (string | null)[] = [];
    const onAway = (error: Error | null) => reported.push(error?.message ?? null);
    const opens: OpenFate[] = ['opened'];
    const log = faultyLog(memoryStore().log, {
      append: ({ events }) => (events[0]?.batch === 0 ? (fates.shift() ?? 'answered') : 'answered'),
      open: () => opens.shift() ?? 'opened',
    });
    const fates: AppendFate[] = ['lost-before'];
    const appender = await openRun(log, { onAway });
    await inFastTime(appender.append([batchStarted(0)]));
    expect(reported).toEqual([]);
    fates.push('lost-before');
    opens.push(...Array.from({ length: 8 }, (): OpenFate => 'unreachable'));
    await inFastTime(appender.append([{ ...batchStarted(0), attempt: 2 }]));
    await inFastTime(appender.append([batchStarted(1)]));
    expect(reported).toEqual(['the server is away', null]);
  });

  it('ends when another process took the run over meanwhile', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const other = await log.openDriver(runId, { seize: true });
    const call = appender.append([batchStarted(0)]);
    await vi.advanceTimersByTimeAsync(500);
    if (!other.ok) throw new Error('not seized');
    await other.session.takeOver({ ...requestOf([stepStarted()]), epoch: 1 });
    expect(await inFastTime(codeOfRejection(call))).toBe('fenced');
    expect(await stored(log)).toMatchObject([{ type: 'StepStarted' }]);
  });

  it('ends when another process took the run over and has ended since', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    await takeOver(log);
    expect(await inFastTime(codeOfRejection(appender.append([batchStarted(0)])))).toBe('fenced');
  });

  it('gives up when its signal aborts, whatever it waits for', async () => {
    for (const fate of ['unreachable', 'still-locked'] as const) {
      const stop = new AbortController();
      let opens = 0;
      const log = faultyLog(memoryStore().log, { append: () => 'lost-after', open: () => (opens++ === 0 ? 'opened' : fate) });
      const appender = await openRun(log, { signal: stop.signal });
      const calls = [0, 1].map((batch) => appender.append([batchStarted(batch)]));
      await vi.advanceTimersByTimeAsync(5_000);
      stop.abort();
      expect(await Promise.all(calls.map(codeOfRejection))).toEqual(
        Array.from({ length: 2 }, () => expect.stringMatching(/lost|unreachable/)),
      );
      await appender.close();
    }
  });

  it('ends on an error that another attempt would not fix, and reports the error', async () => {
    const { log } = memoryStore();
    const session = { runId, append: () => Promise.reject(Object.assign(new Error('permission denied'), { code: '42501' })) };
    const appender = openAppender({
      log,
      runId,
      session: { ...session, takeOver: session.append, close: async () => undefined },
      epoch: 1,
      position: 1,
      expectedHash: '',
      writer: 'ada@engine:1',
    });
    const fault = await appender.append([batchStarted(0)]).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'append-failed', details: { cause: '42501' } });
    expect(fault).toHaveProperty('message', expect.stringMatching(/could not be written: permission denied \(42501\)\.$/));
  });

  it('stores every acknowledged event exactly once and in its caller’s order, whatever fails', async () => {
    const appendFate = fc.constantFrom<AppendFate>('answered', 'answered', 'lost-before', 'lost-after', 'race-lost', 'timed-out');
    const openFate = fc.constantFrom<OpenFate>('opened', 'opened', 'unreachable', 'still-locked');
    // Callers, each with calls of several events. Some calls are at fault, and some are awaited before the next.
    const call = fc.record({ events: fc.integer({ min: 1, max: 4 }), isBad: fc.boolean(), isAwaited: fc.boolean() });
    const callers = fc.array(fc.array(call, { maxLength: 8 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        callers,
        fc.array(appendFate, { maxLength: 40 }),
        fc.array(openFate, { maxLength: 40 }),
        async (plan, appendFates, openFates) => {
          const appends = [...appendFates];
          const opens: OpenFate[] = ['opened', ...openFates];
          const log = faultyLog(memoryStore().log, { append: () => appends.shift() ?? 'answered', open: () => opens.shift() ?? 'opened' });
          const reported: RecordedEvent[] = [];
          const appender = await openRun(log, { onRecorded: (events) => reported.push(...events) });
          await inFastTime(appender.append([batchSucceeded(999)]));
          const acknowledged: RecordedEvent[][] = await inFastTime(
            Promise.all(
              plan.map(async (calls, caller) => {
                const answers: Promise<readonly RecordedEvent[]>[] = [];
                for (const [number, { events, isBad, isAwaited }] of calls.entries()) {
                  const mine = Array.from({ length: events }, (_, index) => batchStarted(caller, 1 + number * 10 + index));
                  const answer = appender.append(isBad ? [...mine, batchSucceeded(999, 2)] : mine);
                  answers.push(answer.catch((error: unknown) => (hasCode(error, 'already-recorded') ? [] : Promise.reject(error))));
                  if (isAwaited) await answers.at(-1);
                }
                return (await Promise.all(answers)).flat();
              }),
            ),
          );
          await appender.close();
          const inLog = await stored(log);
          expect(reported).toEqual(inLog);
          for (const [caller, mine] of acknowledged.entries()) {
            const due = (plan[caller] ?? []).flatMap(({ events, isBad }, number) =>
              isBad ? [] : Array.from({ length: events }, (_, index) => 1 + number * 10 + index),
            );
            expect(mine.map((event) => 'attempt' in event && event.attempt)).toEqual(due);
            expect(inLog.filter((event) => 'batch' in event && event.batch === caller)).toEqual(mine);
          }
          expect(inLog).toHaveLength(1 + acknowledged.flat().length);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** A log whose sessions have no lock, as in a process that was suspended and does not know yet that another one took over. */
const zombie = (log: EventLog): EventLog => ({
  ...log,
  openDriver: async (id) => {
    const send: DriverSession['append'] = async (request) => {
      const opened = await log.openDriver(id);
      if (!opened.ok) throw new Error('driven');
      const result = await opened.session.append(request);
      await opened.session.close();
      return result;
    };
    return { ok: true, session: { runId: id, append: send, takeOver: send, close: async () => undefined } };
  },
});

async function takeOver(log: EventLog): Promise<void> {
  const opened = await log.openDriver(runId, { seize: true });
  if (!opened.ok) throw new Error('driven');
  await opened.session.takeOver({ ...requestOf([stepStarted()]), epoch: 1 });
  await opened.session.close();
}

async function appendBehindItsBack(log: EventLog): Promise<void> {
  const opened = await log.openDriver(runId, { seize: true });
  if (!opened.ok) throw new Error('driven');
  await opened.session.append(requestOf([stepStarted()]));
  await opened.session.close();
}
