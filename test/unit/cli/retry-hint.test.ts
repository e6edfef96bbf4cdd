import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Pipeline } from '../../../src/pipeline/index.ts';
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

describe('what is said of rejected rows at the end', () => {
  it('is how they are tried again', async () => {
    expect(
      await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows: [{ n: 1 }, { n: 2 }] }).map('half', halves))),
    ).toEqual(['To retry it: distilog retry hint-1']);
  });

  it('is that a source’s cannot be: they were never stored', async () => {
    const rows = [{ n: 'x' } as never, { n: 2 }];
    expect(await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows }).map('half', halves)))).toEqual([
      'The row of step rows cannot be retried in this run.',
    ]);
  });

  it('is both, where both were rejected', async () => {
    const rows = [{ n: 'x' } as never, { n: 1 }, { n: 3 }];
    expect(await hint(pipeline('hint', ({ source }) => void source('rows', { output: n, rows }).map('half', halves)))).toEqual([
      'To retry 2 of them: distilog retry hint-1 --step half',
      'The 1 of step rows cannot be retried in this run.',
    ]);
  });

  it('is that those cannot be below which rows of many were made', async () => {
    const pipe = pipeline('hint', ({ source }) => {
      const made = source('rows', { output: n, rows: [{ n: 1 }, { n: 3 }] }).map('half', halves);
      made.global('all', { output: z.object({ count: z.int() }), run: async (all) => [{ count: (await Array.fromAsync(all)).length }] });
    });
    expect(await hint(pipe)).toEqual(['The rows of step half cannot be retried in this run.']);
  });
});
