// The pipelines whose logs version 0.1.0 left. They stay as they are: later versions resume their runs.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NonRetryableError, pipeline, RetryableError, type Context, type Pipeline } from '../../../src/pipeline/index.ts';

/** What is outside of the pipelines: it changes while a golden log is made. */
export interface Outside {
  /** Whether rows that were rejected come through now. */
  readonly isMended: boolean;
  /** How long a slow row takes. */
  readonly slowMs: number;
}

const texts = ['plain', 'two\nlines', 'Ünïcödé \u{1F600}', '"quoted", and, commas', ''];

/** An error without a place in a file, for what is recorded must be the same wherever it is made. */
const without = <E extends Error>(error: E): E => Object.assign(error, { stack: `${error.name}: ${error.message}` });

const rejectedUnless = ({ isMended }: Outside, isUnlucky: boolean): void => {
  if (isUnlucky && !isMended) throw without(new NonRetryableError('no luck today', { code: 'unlucky' }));
};

const flaky = ({ attempt }: Context, isFlaky: boolean): void => {
  if (isFlaky && attempt === 1) throw without(new RetryableError('not yet', { code: 'busy' }));
};

const options = { version: 1, retry: { backoffMs: 0 } } as const;

/** Every operator, below two sources. */
export const everyOperator = (outside: Outside): Pipeline =>
  pipeline('every-operator', { params: z.object({ items: z.int() }) }, ({ source, join, union, params: { items } }) => {
    const entries = source('entries', {
      output: z.object({ n: z.int(), text: z.string().nullable() }),
      rows: Array.from({ length: items }, (_, n) => ({ n, text: n % 7 === 6 ? null : (texts[n % texts.length] ?? null) })),
      count: () => items,
      batchSize: 8,
    });
    const others = source('others', {
      output: z.object({ n: z.int(), from: z.string() }),
      rows: Array.from({ length: 5 }, (_, n) => ({ n: 100 + n, from: 'elsewhere' })),
    });

    const asked = entries.map(
      'asked',
      {
        output: z.object({ answer: z.string() }),
        run: async ({ n, text }, context) => {
          if (n % 8 === 2) await sleep(outside.slowMs);
          context.usage({ model: 'oracle', inputTokens: 10 + n, outputTokens: 3, costUsd: 0.001, latencyMs: 5, finishReason: 'stop' });
          const answer = await context.checkpoint('answer', () => `${text ?? 'nothing'}!`);
          flaky(context, n % 9 === 4);
          rejectedUnless(outside, n % 10 === 7);
          return { answer };
        },
      },
      { ...options, concurrency: 3 },
    );
    const scored = entries.mapBatch(
      'scored',
      {
        output: z.object({ score: z.number().nullable() }),
        run: (rows) =>
          rows.map(({ n }) => (n % 11 === 5 ? without(new NonRetryableError('no score')) : { score: n % 4 === 0 ? null : n / 8 })),
      },
      options,
    );
    const both = join('both', [asked, scored]);
    const copies = both.flatMap(
      'copies',
      { output: z.object({ copy: z.int() }), run: ({ n }) => Array.from({ length: n % 3 }, (_, copy) => ({ copy })) },
      options,
    );
    copies
      .replace('shouted', { output: z.object({ answer: z.string() }), run: ({ answer }) => ({ answer: answer.toUpperCase() }) }, options)
      .rename('renamed', { answer: 'shout' });

    const { even, odd } = both.route('parity', { branches: ['even', 'odd'], to: ({ n }) => (n % 2 === 0 ? 'even' : 'odd') }, options);
    const known = even.nonNull('known', ['score']);
    const small = odd.filter('small', { keep: ({ n }) => n < 20 }, options).drop('dropped', ['text']);
    union('together', [known.select('selected', ['n', 'answer']), small]);
    union('all', [entries.filter('short', { keep: ({ text }) => (text ?? '').length < 9 }, options), others]);

    entries.batch(
      'groups',
      {
        output: z.object({ size: z.int(), sum: z.int() }),
        run: (rows) => [{ size: rows.length, sum: rows.reduce<number>((sum, row) => sum + row.n, 0) }],
      },
      { ...options, batchSize: 12 },
    );
    entries.global(
      'total',
      {
        output: z.object({ total: z.int(), note: z.string() }),
        run: async function* (rows) {
          let total = 0;
          for await (const { n } of rows) total += n;
          yield { total, note: 'of all '.repeat(100) };
        },
      },
      options,
    );
  });

/** A step that ends the run's only leaf, beside one that goes on. */
export const failing = (outside: Outside): Pipeline =>
  pipeline('failing', ({ source }) => {
    const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 12 }, (_, n) => ({ n })), batchSize: 3 });
    rows
      .map(
        'strict',
        {
          output: z.object({ m: z.int() }),
          run: ({ n }) => {
            rejectedUnless(outside, n === 4);
            return { m: n };
          },
        },
        { ...options, onError: 'fail' },
      )
      .filter('below', { keep: () => true }, options);
    rows.map(
      'slow',
      {
        output: z.object({ s: z.int() }),
        run: async ({ n }) => {
          await sleep(outside.slowMs);
          return { s: n };
        },
      },
      options,
    );
  });
