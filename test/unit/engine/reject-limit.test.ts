import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { losses } from '../../../src/distiset/index.ts';
import { resumePipeline, retryPipeline } from '../../../src/engine/index.ts';
import { runLogId, type Store } from '../../../src/log/index.ts';
import { pipeline, plan, type Pipeline } from '../../../src/pipeline/index.ts';
import { graph, fold } from '../../../projections/index.ts';
import { eventsOf, ran, resumed, rowsOf } from './engine.ts';

const out = z.object({ out: z.int() });
const numbers = (total: number, batchSize = 10) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: total }, (_, n) => ({ n })),
  batchSize,
});
const notFound = () => Object.assign(new Error('no such model'), { code: 'not-found', retryable: false });

/** Rows of a run by the number that they stem from. */
const numbersOf = async (store: Store, runId: string): Promise<readonly number[]> =>
  ((await rowsOf(store, runId))['default'] ?? []).map((row) => row['n'] as number);

const upTo = (total: number): readonly number[] => Array.from({ length: total }, (_, n) => n);
const ascending = (all: readonly number[]): readonly number[] => all.toSorted((a, b) => a - b);

const lostOf = async (store: Store, runId: string): Promise<readonly string[]> => {
  const head = await store.log.head(runLogId(runId));
  return (await Array.fromAsync(losses(store, runId, head?.position ?? 0))).map(({ step, code }) => `${step}: ${code}`);
};

const successesOf = async (store: Store, runId: string) =>
  (await eventsOf(store, runId)).flatMap((event) => (event.type === 'BatchSucceeded' ? `${event.step}/${event.pass}/${event.batch}` : []));

/** A step that rejects everything from row 35 on while it is broken, and rows of its own choice always. */
function breaking({ isAsync = false, always = [] as readonly number[], below = (_rows: unknown): void => undefined } = {}) {
  const state = { isBroken: true, from: 35 };
  const asked: number[] = [];
  const work = (n: number) => {
    asked.push(n);
    if ((state.isBroken && n >= state.from) || always.includes(n)) throw notFound();
    return { out: n };
  };
  const of = pipeline('breaking', ({ source }) => {
    const called = source('rows', numbers(200)).map('call', {
      output: out,
      concurrency: 25,
      run: isAsync ? async ({ n }) => (await new Promise(setImmediate), work(n)) : ({ n }) => work(n),
    });
    below(called);
  });
  return { of, state, asked };
}

describe.each([
  ['that returns at once', false],
  ['that waits, with three batches in flight', true],
])('a step %s and rejects so much that the run pauses', (_what, isAsync) => {
  it('gets every row that it rejected again, once it works', async () => {
    const { of, state, asked } = breaking({ isAsync });
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('paused');
    const lost = await lostOf(store, runId);
    expect(lost.length).toBeGreaterThan(0);
    const paused = fold(graph, await eventsOf(store, runId));
    expect(paused.steps['call']?.owedUntil).toBe((await eventsOf(store, runId)).length);
    state.isBroken = false;
    asked.length = 0;
    expect(await resumed(store, runId, of)).toBe('succeeded');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(200));
    expect(await lostOf(store, runId)).toEqual([]);
    // Nothing that was done is done twice.
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.every((n) => n >= 35)).toBe(true);
    const successes = await successesOf(store, runId);
    expect(new Set(successes).size).toBe(successes.length);
    const types = (await eventsOf(store, runId)).map(({ type }) => type);
    expect(types.lastIndexOf('RunReopened')).toBe(types.indexOf('RunFinished') + 1);
    expect(fold(graph, await eventsOf(store, runId)).steps['call']).not.toHaveProperty('owedUntil');
  });

  it('gets them after it has paused the run again, too', async () => {
    const { of, state } = breaking({ isAsync });
    const { store, runId } = await ran(of);
    state.from = 90;
    expect(await resumed(store, runId, of)).toBe('paused');
    state.from = 150;
    expect(await resumed(store, runId, of)).toBe('paused');
    state.isBroken = false;
    expect(await resumed(store, runId, of)).toBe('succeeded');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(200));
  });

  it('gets rows once that it rejects again', async () => {
    const always = [3, 17, 180];
    const { of, state, asked } = breaking({ isAsync, always });
    const { store, runId } = await ran(of);
    state.isBroken = false;
    expect(await resumed(store, runId, of)).toBe('partial');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(200).filter((n) => !always.includes(n)));
    expect(await lostOf(store, runId)).toEqual(always.map(() => 'call: not-found'));
    // What was rejected after the pause is not tried again.
    expect(asked.filter((n) => n === 180)).toHaveLength(1);
    expect(asked.filter((n) => n === 3)).toHaveLength(2);
    const { rest } = await (await retryPipeline(store, plan(of), { runId, acceptedChanges: [], concurrency: {} })).drive();
    expect(rest).toBe('partial');
    expect(asked.filter((n) => n === 180)).toHaveLength(2);
  });

  it('keeps rows rejected above a step that makes rows from many, except those of open batches', async () => {
    const { of, state } = breaking({
      isAsync,
      below: (called) =>
        (called as { batch(name: string, step: object): unknown }).batch('merged', {
          output: z.object({ sum: z.int() }),
          batchSize: 7,
          run: (rows: readonly { out: number }[]) => rows.map(({ out: one }) => ({ sum: one })),
        }),
    });
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('paused');
    expect(fold(graph, await eventsOf(store, runId)).steps['call']).not.toHaveProperty('owedUntil');
    const lost = await lostOf(store, runId);
    state.isBroken = false;
    expect(await resumed(store, runId, of)).toBe(lost.length > 0 ? 'partial' : 'succeeded');
    expect(await lostOf(store, runId)).toEqual(lost);
    expect((await rowsOf(store, runId))['default']).toHaveLength(200 - lost.length);
    expect((await eventsOf(store, runId)).some(({ type }) => type === 'RunReopened')).toBe(false);
  });

  it('gets them from the next driver if the resumed one was lost', async () => {
    const { of, state } = breaking({ isAsync });
    const { store, runId } = await ran(of);
    state.isBroken = false;
    const options = { runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] };
    const lost = await resumePipeline(store, plan(of), {
      ...options,
      onRecorded: (events) => {
        if (events.some(({ type }) => type === 'BatchSucceeded')) throw new Error('the driver dies');
      },
    });
    await expect(lost.drive()).rejects.toThrow('the driver dies');
    expect(await resumed(store, runId, of, { seize: true })).toBe('succeeded');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(200));
  });

  it('gets them under a changed definition', async () => {
    const { of, state } = breaking({ isAsync });
    const { store, runId } = await ran(of);
    state.isBroken = false;
    const changed: Pipeline = pipeline('breaking', ({ source }) => {
      source('rows', numbers(200)).map('call', { output: out, concurrency: 25, run: ({ n }) => ({ out: -n }) });
    });
    const { signature = '' } = plan(changed).manifest.steps.find(({ name }) => name === 'call') ?? {};
    const acceptedChanges = [{ step: 'call', kind: 'changed' as const, parts: ['code'], signature }];
    expect(await resumed(store, runId, changed, { acceptedChanges })).toBe('succeeded');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(200));
  });
});

describe('a pass over the rows that a step owes', () => {
  it('pauses the run, too, and is followed by another pass', async () => {
    let broken: (n: number) => boolean = (n) => n >= 300 || n % 11 === 0;
    const of = pipeline('passes', ({ source }) => {
      source('rows', numbers(400)).map('call', {
        output: out,
        run: ({ n }) => {
          if (broken(n)) throw notFound();
          return { out: n };
        },
      });
    });
    const { store, runId, rest } = await ran(of);
    expect((await lostOf(store, runId)).length).toBeGreaterThan(20);
    broken = (n) => n < 300 && n % 11 === 0;
    expect([rest, await resumed(store, runId, of)]).toEqual(['paused', 'paused']);
    expect(fold(graph, await eventsOf(store, runId))).toMatchObject({ pass: 2, status: 'paused' });
    broken = () => false;
    expect(await resumed(store, runId, of)).toBe('succeeded');
    expect(fold(graph, await eventsOf(store, runId)).pass).toBe(3);
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(400));
  });
});

describe('a batch that waits for another attempt when its step pauses the run', () => {
  it('retries the rows that it recorded as rejected', async () => {
    let isBroken = true;
    const of = pipeline('waiting', ({ source }) => {
      source('rows', numbers(60, 10)).map('call', {
        output: out,
        concurrency: 1,
        retry: { attempts: 3, backoffMs: 60_000 },
        run: ({ n }) => {
          if (isBroken && n === 9) throw new Error('perhaps later');
          if (isBroken && n % 10 >= 4 && n < 10) throw notFound();
          if (isBroken && n >= 10) throw notFound();
          return { out: n };
        },
      });
    });
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('paused');
    const recorded = (await eventsOf(store, runId)).find((event) => event.type === 'BatchFailed' && event.batch === 0);
    expect(recorded).toMatchObject({ data: { counted: true, rejected: { count: 5 } } });
    isBroken = false;
    const events = await eventsOf(store, runId);
    // The delay of the attempt that failed is over.
    const clock = () => Date.parse(events.at(-1)?.recordedAt ?? '') * 1000 + 120_000_000;
    expect(await resumed(store, runId, of, { clock })).toBe('succeeded');
    expect(ascending(await numbersOf(store, runId))).toEqual(upTo(60));
  });
});

describe('a batch whose rows are all done when its step has paused the run', () => {
  it('does not succeed without the rows that it rejected', async () => {
    let isBroken = true;
    let thrown = 0;
    let release: () => void = () => undefined;
    const tripped = new Promise<void>((resolve) => {
      release = resolve;
    });
    const of = pipeline('open', ({ source }) => {
      source('rows', numbers(60, 30))
        .map('call', {
          output: out,
          concurrency: 60,
          run: async ({ n }) => {
            if (!isBroken) return { out: n };
            if (n === 0) throw notFound();
            if (n < 29) return { out: n };
            if (n === 29) {
              await tripped;
              return { out: n };
            }
            await new Promise(setImmediate);
            if (++thrown === 25) setTimeout(release, 10);
            throw notFound();
          },
        })
        .batch('merged', { output: z.object({ sum: z.int() }), batchSize: 60, run: (rows) => rows.map(({ out: sum }) => ({ sum })) });
    });
    const { store, runId, rest } = await ran(of);
    expect([rest, await lostOf(store, runId)]).toEqual(['paused', []]);
    expect((await successesOf(store, runId)).filter((each) => each.startsWith('call'))).toEqual([]);
    isBroken = false;
    expect(await resumed(store, runId, of)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toHaveLength(60);
  });
});

describe('a source that rejects so much that the run pauses', () => {
  it('reads the items of its open batch again, each once and in order, and keeps the recorded rejections', async () => {
    let isBroken = true;
    const item = (n: number) => (isBroken && n >= 40 && n % 3 !== 0 ? notFound() : { n });
    const of = pipeline('source', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: () => upTo(300).map(item), batchSize: 30 });
    });
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('paused');
    const lost = (await lostOf(store, runId)).length;
    expect(lost).toBe(upTo(90).filter((n) => n >= 40 && n % 3 !== 0).length);
    isBroken = false;
    expect(await resumed(store, runId, of)).toBe('partial');
    const rows = await numbersOf(store, runId);
    expect(rows).toEqual(upTo(300).filter((n) => n < 40 || n >= 90 || n % 3 === 0));
    expect(await lostOf(store, runId)).toHaveLength(lost);
  });
});
