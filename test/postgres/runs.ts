import { z } from 'zod';
import type { NewEvent } from '../../schema/index.ts';
import { startPipeline } from '../../src/engine/index.ts';
import type { Store } from '../../src/log/index.ts';
import { pipeline, plan, type Plan } from '../../src/pipeline/index.ts';

/** Plans a small pipeline that doubles numbers and keeps the even ones. One row in a hundred is rejected. */
export const numbersPlan = (total: number): Plan =>
  plan(
    pipeline('numbers', ({ source }) => {
      const all = source('all', {
        output: z.object({ n: z.int() }),
        batchSize: 10,
        rows: Array.from({ length: total }, (_, n) => ({ n })),
      });
      const doubled = all.map('doubled', {
        output: z.object({ twice: z.int() }),
        run: ({ n }) => {
          if (n % 100 === 7) throw Object.assign(new Error('unlucky'), { retryable: false });
          return { twice: 2 * n };
        },
      });
      return { even: doubled.filter('even', { keep: ({ n }) => n % 2 === 0 }) };
    }),
  );

/** Runs that pipeline to its end and returns the run's id. */
export async function finishedRun(store: Store, total = 100): Promise<string> {
  const run = await startPipeline(store, numbersPlan(total), { seed: 1 });
  await run.drive();
  return run.runId;
}

/** Returns the event that starts a batch of step `all`. */
export const started = (batch: number): NewEvent => ({
  type: 'BatchStarted',
  pass: 1,
  step: 'all',
  batch,
  attempt: 1,
  data: { inputs: [], offset: 0, rows: 1, worker: 'w', alone: false },
});

/** Returns the event that records a takeover. */
export const resumed = (epoch: number): NewEvent => ({
  type: 'RunResumed',
  data: {
    reason: 'taken-over',
    epoch,
    actor: { user: 'u', host: 'h', pid: 1 },
    from: null,
    positionSeen: 1,
    acceptedChanges: [],
    concurrency: {},
    program: { distilog: '0', node: '0' },
  },
});
