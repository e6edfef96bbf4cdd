import { expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from './engine.ts';

it('records the usage of a call within a second, even if its row is not done', async () => {
  const pipe = pipeline('spent', ({ source }) => {
    source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] }).map('slow', {
      output: z.object({ m: z.int() }),
      run: async ({ n }, { usage }) => {
        usage({ model: 'tiny', inputTokens: 7, outputTokens: 3, thrownAway: true });
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        usage({ model: 'tiny', inputTokens: 5 });
        return { m: n };
      },
    });
  });
  const run = await ran(pipe);
  const events = (await eventsOf(run.store, run.runId)).filter(({ type }) => type === 'BatchProgressed' || type === 'BatchSucceeded');
  expect(events.slice(-2)).toMatchObject([
    {
      type: 'BatchProgressed',
      data: { done: [], rows: 0, usage: [{ calls: 1, inputTokens: 7, thrownAway: { calls: 1, inputTokens: 7 } }] },
    },
    { type: 'BatchSucceeded', data: { rows: 1, usage: [{ calls: 1, inputTokens: 5, thrownAway: { calls: 0 } }] } },
  ]);
});
