import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { StepState } from '../../../projections/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Pipeline } from '../../../src/pipeline/index.ts';
import { cancelRun } from '../../../src/scheduler/index.ts';
import { describeRetry } from '../../../src/cli/commands/drive.ts';
import { readStates } from '../../../src/views/index.ts';

const n = z.object({ n: z.int() });
const halves = { output: z.object({ half: z.int() }), retry: { attempts: 1 }, run: (row: { readonly n: number }) => ({ half: row.n / 2 }) };

async function hint(pipe: Pipeline): Promise<readonly string[]> {
  const store = memoryStore();
  const run = await startPipeline(store, plan(pipe), { runId: 'hint-1' });
  const { position } = await run.drive();
  return describeRetry(await readStates(store, 'hint-1', position), 'hint-1');
}

describe('the message about rejected rows at the end of a run', () => {
  it('says how to retry them', async () => {
    expect(
      await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows: [{ n: 1 }, { n: 2 }] }).map('half', halves))),
    ).toEqual(['To retry it: distilog retry hint-1']);
  });

  it('says that rows of a source cannot be retried, because they were not stored', async () => {
    const rows = [{ n: 'x' } as never, { n: 2 }];
    expect(await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows }).map('half', halves)))).toEqual([
      'The row of step rows cannot be retried in this run.',
    ]);
  });

  it('says both if both were rejected', async () => {
    const rows = [{ n: 'x' } as never, { n: 1 }, { n: 3 }];
    expect(await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows }).map('half', halves)))).toEqual([
      'To retry 2 of them: distilog retry hint-1 --step half',
      'The 1 of step rows cannot be retried in this run.',
    ]);
  });

  it('says that rows cannot be retried if a later step combined them', async () => {
    const pipe = pipeline('hint', ({ source }) => {
      const made = source('rows', { output: n, rows: [{ n: 1 }, { n: 3 }] }).map('half', halves);
      made.global('all', { output: z.object({ count: z.int() }), run: async (all) => [{ count: (await Array.fromAsync(all)).length }] });
    });
    expect(await hint(pipe)).toEqual(['The rows of step half cannot be retried in this run.']);
  });

  it('says that rows of a cancelled run cannot be retried', async () => {
    const store = memoryStore();
    const pipe = pipeline('hint', ({ source }) => {
      source('rows', { output: n, rows: [{ n: 1 }, { n: 2 }, { n: 4 }], batchSize: 1 })
        .map('half', halves)
        .map('stuck', {
          output: z.object({ out: z.int() }),
          retry: { attempts: 1 },
          run: () => {
            throw Object.assign(new Error('key revoked'), { code: 'auth' });
          },
        });
    });
    const run = await startPipeline(store, plan(pipe), { runId: 'hint-1' });
    expect((await run.drive()).rest).toBe('paused');
    await cancelRun({ store, actor: { user: 'ada', host: 'engine', pid: 1 }, clock: systemClock }, 'hint-1');
    const head = await store.log.head('hint-1');
    expect(describeRetry(await readStates(store, 'hint-1', head?.position ?? 0), 'hint-1')).toEqual([
      'The row of step half cannot be retried in this run.',
    ]);
  });

  it('says that rows of a failed step cannot be retried', async () => {
    const store = memoryStore();
    const pipe = pipeline('hint', ({ source }) => void source('rows', { output: n, rows: [{ n: 1 }, { n: 2 }] }).map('half', halves));
    const run = await startPipeline(store, plan(pipe), { runId: 'hint-1' });
    const { graph, progress } = await readStates(store, 'hint-1', (await run.drive()).position);
    // A step that rejects rows fails only if a batch is lost, for example with its chunk.
    const steps = { ...graph.steps, half: { ...(graph.steps['half'] as StepState), status: 'failed' as const } };
    expect(describeRetry({ graph: { ...graph, steps }, progress }, 'hint-1')).toEqual([
      'The row of step half cannot be retried in this run.',
    ]);
  });
});
