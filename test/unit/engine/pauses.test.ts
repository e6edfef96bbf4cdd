import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/kit/clock.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, resource, secret } from '../../../src/pipeline/index.ts';
import { cancelRun } from '../../../src/scheduler/index.ts';
import { eventsOf, ran, resumed, rowsOf } from './engine.ts';

const out = z.object({ out: z.int() });
const numbers = (total: number) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: total }, (_, n) => ({ n })),
  batchSize: 10,
});
const hopeless = (code: string, message: string) => Object.assign(new Error(message), { code, retryable: false });

describe('a run whose key is refused', () => {
  it('pauses without counting an attempt or losing a row, and continues with a new key', async () => {
    let isRevoked = true;
    let calls = 0;
    const pipe = pipeline('keys', ({ source }) => {
      source('rows', numbers(200)).map('call', {
        output: out,
        concurrency: 4,
        retry: { attempts: 1 },
        run: async ({ n }) => {
          await Promise.resolve();
          if (++calls > 50 && isRevoked) throw Object.assign(new Error('key revoked'), { code: 'auth' });
          return { out: n };
        },
      });
    });
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    const paused = (await eventsOf(store, runId)).find(({ type }) => type === 'RunPaused');
    expect(paused?.data).toMatchObject({ reason: 'auth', message: 'step call: key revoked', step: 'call' });
    expect(calls).toBeLessThanOrEqual(50 + 4);
    isRevoked = false;
    expect(await resumed(store, runId, pipe)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toEqual(Array.from({ length: 200 }, (_, n) => ({ n, out: n })));
    expect(calls).toBeLessThanOrEqual(200 + 8);
  });
});

describe('a provider that asks for fewer calls', () => {
  it('rejects no row, for any secrets', async () => {
    const pipe = pipeline('limited', { params: z.object({ apiKey: secret() }) }, ({ source }) => {
      let calls = 0;
      source('rows', numbers(10)).map('call', {
        output: out,
        retry: { attempts: 1, backoffMs: 1 },
        run: ({ n }) => {
          if (++calls <= 3) throw Object.assign(new Error('slower'), { code: 'rate-limit' });
          return { out: n };
        },
      });
    });
    const store = memoryStore();
    const run = await startPipeline(store, plan(pipe, { params: { apiKey: 'rate' } }), { seed: 1 });
    expect((await run.drive()).rest).toBe('succeeded');
    expect((await rowsOf(store, run.runId))['default']).toHaveLength(10);
  });
});

describe('a run without a driver', () => {
  it('is cancelled at once, keeps its rows, and cannot be resumed; a driven or finished run is not cancelled', async () => {
    const pipe = pipeline('stuck', ({ source }) => {
      source('rows', numbers(30)).map('call', {
        output: out,
        retry: { attempts: 1 },
        run: ({ n }) => {
          if (n >= 20) throw Object.assign(new Error('key revoked'), { code: 'auth' });
          return { out: n };
        },
      });
    });
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    const taker = { store, actor: { user: 'ada', host: 'engine', pid: 1 }, clock: systemClock };
    const driver = await store.log.openDriver(runId);
    await expect(cancelRun(taker, runId)).rejects.toMatchObject({ code: 'run-is-driven' });
    if (driver.ok) await driver.session.close();
    await cancelRun(taker, runId);
    expect((await eventsOf(store, runId)).at(-1)).toMatchObject({ type: 'RunCancelled', data: { actor: { user: 'ada' } } });
    expect((await rowsOf(store, runId))['default']).toHaveLength(20);
    await expect(resumed(store, runId, pipe)).rejects.toMatchObject({ code: 'run-is-over' });
    await expect(cancelRun(taker, runId)).rejects.toMatchObject({ code: 'run-is-over' });
  });
});

describe('a step that rejects everything', () => {
  const broken = { is: true };
  const pipe = pipeline('fuse', ({ source }) => {
    source('rows', numbers(500)).map('call', {
      output: out,
      run: ({ n }) => {
        if (broken.is && n >= 40) throw hopeless('not-found', 'no such model');
        return { out: n };
      },
    });
  });

  it('pauses the run before many rows are rejected, and they are retried when it is repaired', async () => {
    broken.is = true;
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    const events = await eventsOf(store, runId);
    expect(events.find(({ type }) => type === 'RunPaused')?.data).toMatchObject({ reason: 'reject-limit', step: 'call' });
    const lostIn = (all: typeof events) =>
      all.reduce((sum, event) => sum + (event.type === 'BatchSucceeded' ? event.data.rejected.count : 0), 0);
    expect(lostIn(events)).toBeLessThan(20);
    broken.is = false;
    expect(await resumed(store, runId, pipe)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toHaveLength(500);
  });

  it('continues if the limit is lifted', async () => {
    broken.is = true;
    const { store, runId, rest } = await ran(pipe, { isRejectLimitLifted: true });
    expect(rest).toBe('partial');
    expect((await rowsOf(store, runId))['default']).toHaveLength(40);
  });
});

describe('a resource that does not open', () => {
  it('rejects no row: the run pauses, and every row arrives when it opens', async () => {
    let opened = 0;
    let closed = 0;
    let isThere = false;
    const client = resource(
      'client',
      () => {
        opened++;
        if (!isThere) throw new Error('connection refused');
        return { double: (n: number) => 2 * n };
      },
      () => {
        closed++;
      },
    );
    const pipe = pipeline('resources', ({ source }) => {
      source('rows', numbers(30)).map('call', {
        output: out,
        retry: { attempts: 2, backoffMs: 1 },
        run: async ({ n }, { use }) => ({ out: (await use(client)).double(n) }),
      });
    });
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    expect((await eventsOf(store, runId)).find(({ type }) => type === 'RunPaused')?.data).toMatchObject({ reason: 'resource' });
    isThere = true;
    opened = 0;
    expect(await resumed(store, runId, pipe)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toHaveLength(30);
    expect([opened, closed]).toEqual([1, 1]);
  });
});

describe('a source that gives other rows than before', () => {
  it('is refused when the run is resumed, and accepted once it is restored', async () => {
    const shift = { by: 0 };
    let isStopped = true;
    const pipe = pipeline('sources', ({ source }) => {
      source('rows', {
        output: z.object({ n: z.int() }),
        batchSize: 10,
        read: ({ offset }) => Array.from({ length: 50 }, (_, n) => ({ n: n + shift.by })).slice(offset),
      }).map('call', {
        output: out,
        run: ({ n }) => {
          if (isStopped && n === 15) throw Object.assign(new Error('quota'), { code: 'quota' });
          return { out: n };
        },
      });
    });
    const { store, runId } = await ran(pipe);
    isStopped = false;
    const state = (await eventsOf(store, runId)).filter(({ type }) => type === 'BatchSucceeded');
    if (state.filter((event) => 'step' in event && event.step === 'rows').length === 5) return;
    shift.by = 1;
    expect(await resumed(store, runId, pipe)).toBe('paused');
    expect((await eventsOf(store, runId)).findLast(({ type }) => type === 'RunPaused')?.data).toMatchObject({
      reason: 'resource',
      message: expect.stringMatching(/a different item \d+ than before/) as string,
    });
    shift.by = 0;
    expect(await resumed(store, runId, pipe)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toHaveLength(50);
  });
});
