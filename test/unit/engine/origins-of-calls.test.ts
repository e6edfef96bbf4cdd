// Keys of calls about many rows, and origins where a row's output is large.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { retryPipeline } from '../../../src/engine/index.ts';
import { NonRetryableError, pipeline, plan, RetryableError, type Context } from '../../../src/pipeline/index.ts';
import { rehearse } from '../../../src/testing/index.ts';
import { ran } from './engine.ts';

const output = z.object({ n: z.int() });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const behindRun = ({ key }: Context): string => key.slice(key.indexOf('/') + 1);

describe('the key and seed of a call that gets many rows', () => {
  it('depend on the rows that it gets: they differ for fewer rows, and are equal for the same rows', async () => {
    const calls: { readonly rows: string; readonly attempt: number; readonly key: string; readonly seed: number }[] = [];
    let isMended = false;
    const of = pipeline('together', ({ source }) => {
      source('rows', { output, rows: numbers(6) }, { batchSize: 3 }).mapBatch(
        'm',
        {
          output: z.object({ out: z.int() }),
          run: (rows, context) => {
            calls.push({ rows: rows.map(({ n }) => n).join(), attempt: context.attempt, key: behindRun(context), seed: context.seed });
            if (rows.some(({ n }) => n === 5) && context.attempt === 1) throw new RetryableError('once more');
            return rows.map(({ n }) => (n === 1 && !isMended ? new NonRetryableError('not yet') : { out: n }));
          },
        },
        { retry: { backoffMs: 0 } },
      );
    });
    const { store, runId } = await ran(of, { isRejectLimitLifted: true });
    isMended = true;
    const run = await retryPipeline(store, plan(of), { runId, acceptedChanges: [], concurrency: {} });
    await run.drive();
    const of345 = calls.filter(({ rows }) => rows === '3,4,5');
    expect(of345.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(of345.map(({ key, seed }) => `${key} ${seed}`)).size).toBe(1);
    expect(new Set(calls.map(({ key }) => key)).size).toBe(3);
    expect(new Set(calls.map(({ seed }) => seed)).size).toBe(3);
    for (const { key } of calls) expect(key).toMatch(/^m\/rows\/[0-9a-f]{32}$/);
    expect(calls.map(({ rows }) => rows).sort()).toEqual(['0,1,2', '1', '3,4,5', '3,4,5']);
  });

  it('are those of the batch if it makes rows from a batch, in every attempt and pass, and those of the step if from all rows', async () => {
    const calls: string[] = [];
    let isMended = false;
    const of = pipeline('groups', ({ source }) => {
      const rows = source('rows', { output, rows: numbers(7) });
      const noted = (key: string) => (_: unknown, context: Context) => {
        calls.push(behindRun(context));
        return { [key]: 1 };
      };
      rows
        .batch(
          'groups',
          {
            output: z.object({ size: z.int() }),
            run: (all, context) => {
              calls.push(behindRun(context));
              if (all.length === 1 && !isMended) throw new NonRetryableError('not yet');
              return [{ size: all.length }, { size: 0 }];
            },
          },
          { batchSize: 3 },
        )
        .map('group', { output: z.object({ g: z.int() }), run: noted('g') } as never);
      rows
        .global('total', {
          output: z.object({ total: z.int() }),
          run: async function* (_all, context) {
            calls.push(behindRun(context));
            yield { total: 1 };
            yield { total: 2 };
          },
        })
        .map('part', { output: z.object({ p: z.int() }), run: noted('p') } as never);
    });
    const { store, runId } = await ran(of, { isRejectLimitLifted: true });
    expect(calls.splice(0).sort()).toEqual([
      'group/groups/0.0',
      'group/groups/0.1',
      'group/groups/1.0',
      'group/groups/1.1',
      'groups/0',
      'groups/1',
      'groups/2',
      'part/total/0.0',
      'part/total/0.1',
      'total',
    ]);
    isMended = true;
    const run = await retryPipeline(store, plan(of), { runId, acceptedChanges: [], concurrency: {} });
    await run.drive();
    expect(calls.sort()).toEqual(['group/groups/2.0', 'group/groups/2.1', 'groups/2']);
  });
});

describe('the origins of many rows that a flatMap made from one', () => {
  it('are numbered across chunks and batches, from any reader and any start', async () => {
    const keys = new Map<string, string[]>();
    const sizes = [3, 2_500, 0, 1, 1_200, 1];
    const of = pipeline('large', ({ source }) => {
      const note = (step: string) => ({
        output: z.object({ [step]: z.int() }),
        run: ({ n, copy }: { readonly n: number; readonly copy: number }, context: Context) => {
          keys.set(`${n}.${copy}`, [...(keys.get(`${n}.${copy}`) ?? []), behindRun(context)]);
          return { [step]: 1 };
        },
      });
      const children = source('rows', { output, rows: numbers(sizes.length) }).flatMap('children', {
        output: z.object({ copy: z.int() }),
        run: ({ n }) => Array.from({ length: sizes[n] ?? 0 }, (_, copy) => ({ copy })),
      });
      children.map('a', note('a') as never, { batchSize: 700 });
      children.filter('odd', { keep: ({ copy }) => copy % 2 === 1 }, { batchSize: 2_000 }).map('b', note('b') as never, { batchSize: 90 });
    });
    await ran(of);
    const expected = sizes.flatMap((size, n) =>
      Array.from({ length: size }, (_, copy): [string, string[]] => [
        `${n}.${copy}`,
        [`a/rows/${n}.${copy}`, ...(copy % 2 === 1 ? [`b/rows/${n}.${copy}`] : [])],
      ]),
    );
    expect(new Map(Array.from(keys, ([row, given]) => [row, given.sort()]))).toEqual(new Map(expected));
  });
});

describe('a stub', () => {
  it('gets the key of the row, although its step’s function does not read it', async () => {
    const of = pipeline('stubbed', ({ source }) => ({
      out: source('rows', { output: z.object({ id: z.string() }), key: 'id', rows: [{ id: 'a' }] }).map('m', {
        output: z.object({ key: z.string() }),
        run: () => ({ key: 'none' }),
      }),
    }));
    const { rows } = await rehearse(of, { stubs: { m: (_, context) => ({ key: behindRun(context) }) } });
    expect(rows.out).toEqual([{ id: 'a', key: 'm/rows/a' }]);
  });
});
