import { expect, it } from 'vitest';
import { z } from 'zod';
import { retryPipeline } from '../../../src/engine/index.ts';
import { foldAt } from '../../../src/log/index.ts';
import { NonRetryableError, pipeline, plan } from '../../../src/pipeline/index.ts';
import { errors, usage } from '../../../projections/index.ts';
import { ran, rowsOf } from './engine.ts';

it('accepts any name of a step, a model or a code, also names of members of every object', async () => {
  const outside = { isMended: false };
  const pipe = pipeline('constructor', ({ source }) => {
    const rows = source('toString', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] });
    const asked = (name: string) =>
      rows.map(name, {
        output: z.object({ m: z.int() }),
        run: ({ n }, { usage }) => {
          for (const model of ['constructor', '__proto__']) usage({ model, inputTokens: n });
          if (n === 1 && !outside.isMended) throw new NonRetryableError('no', { code: 'valueOf' });
          return { m: n };
        },
      });
    asked('constructor').filter('hasOwnProperty', { keep: () => true });
    asked('other');
  });
  const { store, runId } = await ran(pipe, { isRejectLimitLifted: true });
  const spent = { calls: 2, inputTokens: 3 };
  const { steps } = await foldAt(store, usage, runId, Number.MAX_SAFE_INTEGER);
  for (const step of ['constructor', 'other'])
    expect(Object.entries(steps[step] ?? {})).toMatchObject([
      ['constructor', spent],
      ['__proto__', spent],
    ]);
  const { groups } = await foldAt(store, errors, runId, Number.MAX_SAFE_INTEGER);
  expect(groups.toSorted((a, b) => a.step.localeCompare(b.step))).toMatchObject([
    { step: 'constructor', code: 'value-of', count: 1 },
    { step: 'other', code: 'value-of', count: 1 },
  ]);

  outside.isMended = true;
  for (const [step, leaf, concurrency] of [
    ['other', 'other', { other: 2 }],
    ['constructor', 'hasOwnProperty', {}],
  ] as const) {
    const retrying = await retryPipeline(store, plan(pipe), { runId, steps: [step], acceptedChanges: [], concurrency });
    await retrying.drive();
    expect((await rowsOf(store, runId))[leaf]).toEqual([
      { n: 2, m: 2 },
      { n: 1, m: 1 },
    ]);
  }
});
