import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { actor } from '../../fixtures/actor.ts';
import { resumePipeline, retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, type Store } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import type { Loaded, RecordedEvent } from '../../../schema/index.ts';
import { eventsOf } from './engine.ts';

const loaded = (version: string): Loaded => ({ packages: [{ name: 'dep', version, sha256: 'x' }], imports: [], more: null });
const pipe = pipeline('loaded', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] }).map('odd', {
    output: z.object({ half: z.int() }),
    retry: { attempts: 1 },
    run: ({ n }) => ({ half: n / 2 }),
  });
});

async function resumed(store: Store, runId: string, given: Loaded | null, isPaused = true): Promise<void> {
  const run = await resumePipeline(store, plan(pipe, { loaded: given }), {
    runId,
    seize: false,
    acceptedChanges: [],
    concurrency: {},
    skip: [],
  });
  if (isPaused) run.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor });
  await run.drive();
}

const recorded = async (store: Store, runId: string) =>
  (await eventsOf(store, runId))
    .filter((event): event is RecordedEvent<'RunStarted' | 'RunResumed' | 'RunReopened'> =>
      /^Run(Started|Resumed|Reopened)$/.test(event.type),
    )
    .map(({ type, data }) => [type, data.loaded?.packages[0]?.version]);

describe('the code that was loaded with a plan', () => {
  it('is recorded when a run starts, and again only if it has changed', async () => {
    const store = memoryStore();
    const run = await startPipeline(store, plan(pipe, { loaded: loaded('1.0.0') }));
    run.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor });
    await run.drive();
    for (const given of [loaded('1.0.0'), null, loaded('1.0.1'), loaded('1.0.1')]) await resumed(store, run.runId, given);
    await resumed(store, run.runId, loaded('1.0.2'), false);
    for (const given of [loaded('1.0.2'), loaded('1.0.3')])
      await (await retryPipeline(store, plan(pipe, { loaded: given }), { runId: run.runId, acceptedChanges: [], concurrency: {} })).drive();
    expect(await recorded(store, run.runId)).toEqual([
      ['RunStarted', '1.0.0'],
      ['RunResumed', undefined],
      ['RunResumed', undefined],
      ['RunResumed', '1.0.1'],
      ['RunResumed', undefined],
      ['RunResumed', '1.0.2'],
      ['RunReopened', undefined],
      ['RunReopened', '1.0.3'],
    ]);
  });

  it('is absent from the log of a program that does not report it', async () => {
    const store = memoryStore();
    const run = await startPipeline(store, plan(pipe));
    await run.drive();
    expect((await eventsOf(store, run.runId))[0]?.data).not.toHaveProperty('loaded');
  });
});
