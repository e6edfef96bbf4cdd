// What operators do when their functions do not keep to what they should.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NonRetryableError, pipeline, RetryableError, type Builder } from '../../../src/pipeline/index.ts';
import type { JsonObject } from '../../../src/kit/json.ts';
import { rejectedRows } from '../../../src/rows/index.ts';
import { eventsOf, ran, rowsOf } from './engine.ts';
import type { Untyped } from '../pipeline/faults.ts';

const n = z.object({ n: z.int() });
const m = z.object({ m: z.int() });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => ({ n: index }));

/** Runs a pipeline over rows 0 … count - 1. */
async function over(count: number, define: (rows: Untyped, builder: Builder<{}>) => unknown, options = {}) {
  const of = pipeline('test', (builder) => {
    define(builder.source('rows', { output: n, rows: numbers(count), batchSize: 10 }), builder);
  });
  const { store, runId, rest } = await ran(of, { isRejectLimitLifted: true, ...options });
  const head = await store.log.head(runId);
  return {
    rest,
    leaves: await rowsOf(store, runId),
    rejected: await Array.fromAsync(rejectedRows(store, runId, head?.position ?? 0)),
    events: await eventsOf(store, runId),
  };
}

describe('mapBatch', () => {
  it('gives each row its result, in order, and rejects a row whose result is an error', async () => {
    const sizes: number[] = [];
    const { leaves, rejected, rest } = await over(25, (rows) =>
      rows.mapBatch('x', {
        output: m,
        run: (batch: readonly { n: number }[]) => {
          sizes.push(batch.length);
          return batch.map((row) => (row.n === 12 ? new NonRetryableError('bad', { code: 'bad-row' }) : { m: row.n * 2 }));
        },
      }),
    );
    expect(sizes).toEqual([10, 10, 5]);
    expect(leaves['default']).toEqual(
      numbers(25)
        .filter((row) => row.n !== 12)
        .map((row) => ({ ...row, m: row.n * 2 })),
    );
    expect(rejected).toMatchObject([{ step: 'x', batch: 1, row: 2, code: 'bad-row', message: 'bad' }]);
    expect(rest).toBe('partial');
  });

  it('gets only unfinished rows when it is called again', async () => {
    const calls: number[][] = [];
    const { leaves } = await over(3, (rows) =>
      rows.mapBatch(
        'x',
        {
          output: m,
          run: (batch: readonly { n: number }[]) => {
            calls.push(batch.map((row) => row.n));
            return batch.map((row) => (row.n === 1 && calls.length === 1 ? new RetryableError('later') : { m: row.n }));
          },
        },
        { retry: { backoffMs: 0 } },
      ),
    );
    expect(calls).toEqual([[0, 1, 2], [1]]);
    expect(leaves['default']).toEqual(numbers(3).map((row) => ({ ...row, m: row.n })));
  });

  it.each([
    ['another number of results', () => [{ m: 1 }], /as many results as it gets rows, 3, and returned 1/],
    ['no list', () => ({ m: 1 }), /must return a list of 3 results, and returned an object/],
    [
      'an error for all',
      () => {
        throw new Error('down');
      },
      /down/,
    ],
  ])('is retried for %s, and then rejects its rows', async (_what, run, message) => {
    const { rejected, leaves, events } = await over(3, (rows) =>
      rows.mapBatch('x', { output: m, run }, { retry: { attempts: 2, backoffMs: 0 } }),
    );
    expect(leaves['default']).toEqual([]);
    expect(rejected).toHaveLength(3);
    expect(rejected[0]).toMatchObject({ attempts: 2, message: expect.stringMatching(message) });
    expect(events.filter(({ type }) => type === 'BatchFailed')).toHaveLength(1);
  });
});

describe('flatMap', () => {
  it.each([
    ['a list', (row: { n: number }) => Array.from({ length: row.n % 3 }, (_, index) => ({ m: index }))],
    [
      'a generator',
      function* (row: { n: number }) {
        for (let index = 0; index < row.n % 3; index++) yield { m: index };
      },
    ],
    ['a promise of a list', async (row: { n: number }) => Array.from({ length: row.n % 3 }, (_, index) => ({ m: index }))],
  ])('makes any number of rows from each row: %s', async (_what, run) => {
    const { leaves } = await over(25, (rows) => rows.flatMap('x', { output: m, run }));
    expect(leaves['default']).toEqual(
      numbers(25).flatMap((row) => Array.from({ length: row.n % 3 }, (_, index) => ({ ...row, m: index }))),
    );
  });

  it('rejects the whole row if one that it makes cannot be stored, or if it returns no rows', async () => {
    const { leaves, rejected } = await over(3, (rows) =>
      rows.flatMap('x', {
        output: m,
        run: (row: { n: number }) => (row.n === 0 ? [{ m: 0 }] : row.n === 1 ? [{ m: 1 }, { m: 'two' }] : 7),
      }),
    );
    expect(leaves['default']).toEqual([{ n: 0, m: 0 }]);
    expect(rejected).toMatchObject([
      { row: 1, code: 'invalid-output', message: expect.stringMatching(/row 1 of those made: column m/) },
      {
        row: 2,
        code: 'invalid-output',
        message: expect.stringMatching(/run must return rows, a list or a generator, and returned a number/),
      },
    ]);
  });

  it('ends a generator that takes too long', async () => {
    let isEnded = false;
    const { rejected } = await over(1, (rows) =>
      rows.flatMap(
        'x',
        {
          output: m,
          run: async function* () {
            try {
              for (;;) {
                await new Promise((resolve) => setTimeout(resolve, 5));
                yield { m: 1 };
              }
            } finally {
              isEnded = true;
            }
          },
        },
        { timeoutMs: 40, retry: { attempts: 1 } },
      ),
    );
    expect(rejected).toMatchObject([{ code: 'timeout' }]);
    await expect.poll(() => isEnded).toBe(true);
  });

  it('keeps thousands of rows of one row in order, across chunks', async () => {
    const { leaves, events } = await over(2, (rows) =>
      rows.flatMap('x', { output: m, run: (row: { n: number }) => Array.from({ length: 2_500 + row.n }, (_, index) => ({ m: index })) }),
    );
    const expected = [0, 1].flatMap((row) => Array.from({ length: 2_500 + row }, (_, index) => ({ n: row, m: index })));
    expect(leaves['default']).toEqual(expected);
    expect(
      events.find(({ type, ...event }) => type === 'BatchSucceeded' && 'step' in event && event.step === 'x')?.chunks.length,
    ).toBeGreaterThanOrEqual(6);
  });
});

describe('batch', () => {
  it('makes new rows from a batch, all or none', async () => {
    const { leaves, rejected } = await over(10, (rows) =>
      rows.batch(
        'x',
        {
          output: z.object({ sum: z.int() }),
          run: (group: readonly { n: number }[]) => {
            if (group.some((row) => row.n === 4)) throw new NonRetryableError('no four', { code: 'four' });
            return [{ sum: group.reduce((sum, row) => sum + row.n, 0) }];
          },
        },
        { batchSize: 4 },
      ),
    );
    expect(leaves['default']).toEqual([{ sum: 6 }, { sum: 17 }]);
    expect(rejected.map(({ row, code }) => [row, code])).toEqual([0, 1, 2, 3].map((row) => [row, 'four']));
  });
});

describe('global', () => {
  const total = (rows: Untyped, run: unknown, options: object = {}) =>
    rows.global('x', { output: z.object({ m: z.int() }), run }, { retry: { attempts: 2, backoffMs: 0 }, ...options });

  it('may read all rows, some or none', async () => {
    const { leaves } = await over(25, (rows, { source }) => {
      total(rows, async function* (all: AsyncIterable<{ n: number }>) {
        let sum = 0;
        for await (const row of all) sum += row.n;
        yield { m: sum };
      });
      rows.global('first', {
        output: m,
        run: async function* (all: AsyncIterable<{ n: number }>) {
          for await (const row of all) {
            yield { m: row.n };
            return;
          }
        },
      });
      rows.global('none', { output: m, run: () => [{ m: 7 }] });
      source('empty', { output: n, rows: [] }).global('ofNothing', {
        output: m,
        run: async function* (all) {
          let count = 0;
          for await (const _row of all) count++;
          yield { m: count };
        },
      });
    });
    expect(leaves).toEqual({ x: [{ m: 300 }], first: [{ m: 0 }], none: [{ m: 7 }], ofNothing: [{ m: 0 }] });
  });

  it('drops the rows that it made before it threw; the step fails, and the rows above it stay', async () => {
    const { leaves, rest, events } = await over(25, (rows) => {
      total(rows, async function* () {
        for (let index = 0; index < 10_000; index++) yield { m: index };
        throw new Error('after all');
      });
      rows.filter('kept', { keep: () => true });
    });
    expect(leaves['x']).toEqual([]);
    expect(leaves['kept']).toHaveLength(25);
    expect(rest).toBe('partial');
    expect(events.filter(({ type }) => type === 'BatchFailed')).toHaveLength(2);
    expect(events.find(({ type }) => type === 'StepFailed')).toMatchObject({ step: 'x', data: { error: { message: 'after all' } } });
  });
});

describe('route', () => {
  it('sends rows to branches, and rejects those that it sends nowhere', async () => {
    const { leaves, rejected } = await over(9, (rows) =>
      rows.route('way', {
        branches: ['even', 'odd', 'idle'],
        to: (row: { n: number }) => (row.n === 5 ? 'nowhere' : row.n % 2 ? 'odd' : 'even'),
      }),
    );
    expect(leaves).toEqual({
      'way-even': [0, 2, 4, 6, 8].map((each) => ({ n: each })),
      'way-odd': [1, 3, 7].map((each) => ({ n: each })),
      'way-idle': [],
    });
    expect(rejected).toMatchObject([
      { step: 'way', row: 5, code: 'invalid-output', message: 'to must return one of even, odd, idle, and returned "nowhere"' },
    ]);
  });
});

describe('join', () => {
  it('records which branch lacks which rows', async () => {
    const { leaves, events } = await over(10, (rows, { join }) => {
      const few = rows.filter('few', { keep: (row: { n: number }) => row.n % 3 === 0 });
      join('j', [few, rows.map('m', { output: m, run: (row: { n: number }) => ({ m: row.n }) })]);
    });
    expect(leaves['default']).toEqual([0, 3, 6, 9].map((each) => ({ n: each, m: each })));
    const joined = events.find((event) => event.type === 'BatchSucceeded' && event.step === 'j');
    expect(joined?.data).toMatchObject({
      rowsIn: 10,
      missing: [{ step: 'few', count: 6, places: ['1/0/1', '1/0/2', '1/0/4', '1/0/5', '1/0/7', '1/0/8'] }],
    });
  });

  it('gets the rows of a branch that failed, and waits for no more', async () => {
    const { leaves, rest } = await over(30, (rows, { join }) => {
      const failing = rows.map(
        'f',
        {
          output: m,
          run: (row: { n: number }) => {
            if (row.n === 15) throw new NonRetryableError('no');
            return { m: row.n };
          },
        },
        { onError: 'fail' },
      );
      join('j', [failing, rows.filter('k', { keep: () => true })]);
    });
    expect((leaves['default'] as readonly JsonObject[]).map((row) => row['n'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(rest).toBe('failed');
  });
});
