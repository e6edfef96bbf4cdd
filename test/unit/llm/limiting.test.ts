import { describe, expect, it } from 'vitest';
import { languageModel, textGeneration } from '../../../src/llm/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { instructions, provider, quick } from './providers.ts';

const asked = { kind: 'pause', reason: 'asked', message: 'enough', step: null, actor: { user: 'test', host: 'test', pid: 1 } } as const;

const many = (count: number) => instructions(...Array.from({ length: count }, (_, index) => `row ${index}`));

describe('the limiter of a model', () => {
  it('is shared by all steps that use the model, however it is defined', async () => {
    const { server, model } = await provider({ fault: ({ number }) => (number === 1 ? 'rate-limit-ms' : undefined), latencyMs: 5 });
    const same = languageModel('tiny', { baseURL: server.url });
    const pipe = pipeline('shared', ({ source }) => {
      const rows = source('rows', many(20));
      rows.map('one', textGeneration({ model }), { ...quick, concurrency: 1 });
      rows.map('two', textGeneration({ model: same }), { ...quick, concurrency: 1 });
    });
    const run = await ran(pipe);
    expect(run.rest).toBe('succeeded');
    // The first call was refused for 150 ms. Except the other step's call in flight, no call was sent before that time.
    const refusal = server.ledger.entries.find(({ outcome }) => outcome === 'rate-limit-ms');
    const early = server.ledger.entries.filter(({ at }) => refusal && at > refusal.at && at < refusal.at + 140);
    expect(early.length).toBeLessThanOrEqual(1);
  });

  it('halves the calls in flight after a refusal', async () => {
    const { server, model } = await provider({ fault: ({ number }) => (number === 12 ? 'rate-limit-bare' : undefined), latencyMs: 40 });
    const run = await ran(
      pipeline(
        'halves',
        ({ source }) => void source('rows', many(60)).map('text', textGeneration({ model }), { ...quick, concurrency: 12 }),
      ),
    );
    expect(run.rest).toBe('succeeded');
    const entries = server.ledger.entries;
    const atRefusal = entries.findIndex(({ outcome }) => outcome === 'rate-limit-bare');
    expect(server.busiestFrom(1)).toBe(12);
    // The 12 calls in flight at that time have ended by the next dozen.
    expect(server.busiestFrom(atRefusal + 14)).toBeLessThan(12);
  });

  it('does not count waiting against timeoutMs', async () => {
    const { model } = await provider({ fault: ({ number }) => (number === 1 ? 'rate-limit-ms' : undefined) });
    const run = await ran(
      pipeline(
        'patient',
        ({ source }) => void source('rows', many(3)).map('text', textGeneration({ model }), { ...quick, concurrency: 1, timeoutMs: 100 }),
      ),
    );
    expect(run.rest).toBe('succeeded');
    // The refused call failed. Calls that waited longer than `timeoutMs` did not.
    const failed = (await eventsOf(run.store, run.runId)).filter(({ type }) => type === 'BatchFailed');
    expect(failed).toMatchObject([{ data: { pending: 1, error: { code: 'rate-limit' } } }]);
  });

  it('allows a run that waits for an hour to be stopped', async () => {
    const { server, model } = await provider({ fault: () => 'rate-limit-hour' });
    const store = memoryStore();
    const pipe = pipeline('hour', ({ source }) => void source('rows', many(30)).map('text', textGeneration({ model }), { concurrency: 2 }));
    const run = await startPipeline(store, plan(pipe), { seed: 1 });
    const driving = run.drive();
    await expect.poll(() => server.requests.length).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.requests.length).toBeLessThanOrEqual(2);
    run.stop(asked);
    run.abort();
    expect((await driving).rest).toBe('paused');
  });

  it('keeps to requestsPerMinute', async () => {
    const { server, model } = await provider({}, { requestsPerMinute: 5 });
    const store = memoryStore();
    const pipe = pipeline('minute', ({ source }) => void source('rows', many(30)).map('text', textGeneration({ model })));
    const run = await startPipeline(store, plan(pipe), { seed: 1 });
    const driving = run.drive();
    await expect.poll(() => server.requests.length).toBe(5);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.requests).toHaveLength(5);
    run.stop(asked);
    run.abort();
    await driving;
  });
});
