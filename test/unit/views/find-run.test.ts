import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { findRun } from '../../../src/views/index.ts';

const planned = plan(pipeline('named', ({ source }) => void source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] })));

async function storeWith(...runIds: readonly string[]) {
  const store = memoryStore();
  for (const runId of runIds) await (await startPipeline(store, planned, { runId })).drive();
  return store;
}

describe('finding a run', () => {
  it('finds each of two runs whose ids differ in case only', async () => {
    const store = await storeWith('Named-A', 'named-a');
    for (const asked of ['Named-A', 'named-a']) expect(await findRun(store, asked)).toBe(asked);
    expect(await findRun(store, 'Nam')).toBe('Named-A');
    expect(await findRun(store, 'nam')).toBe('named-a');
  });

  it('accepts any case for an id in lower case', async () => {
    const store = await storeWith('named-a', 'named-b');
    expect(await findRun(store, 'NAMED-A')).toBe('named-a');
    await expect(findRun(store, 'NAMED')).rejects.toMatchObject({ code: 'ambiguous-run' });
    await expect(findRun(store, 'OTHER')).rejects.toMatchObject({ code: 'unknown-run' });
  });
});
